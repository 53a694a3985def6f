"""How to paint: every setting once, and the forms it takes."""

from vidstyle.settings.definitions import Settings as Settings
