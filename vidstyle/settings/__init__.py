"""Every setting once: its legal values, and how it is read from words and files."""

from vidstyle.settings.definitions import Settings as Settings
