"""The one exception tree of vidstyle.

    VidstyleError
    ├── SettingsError      (ValueError)   a setting is unknown, out of range or contradicts another
    ├── SourceError        (OSError)      the input or the style cannot be read
    │   └── DamagedSourceError            the input opens, but some of it cannot be decoded
    ├── OutputError        (OSError)      the output cannot be written where it is wanted
    ├── JobError           (OSError)      the job folder is in use, damaged, or not to be written to
    │   ├── JobChangedError               it belongs to other settings, or another input, style or network
    │   └── JobStoppedError               somebody asked for it; the same call continues
    ├── WeightsError       (OSError)      network weights are missing, damaged or of another network
    ├── DeviceError        (RuntimeError) the device or the precision asked for is not to be had here
    ├── ClusterError       (RuntimeError) the cluster cannot be reached, or cannot do what is asked of it
    ├── FlowError          (ImportError)  the way to estimate optical flow asked for is not to be had here
    ├── ReportError        (ImportError)  what draws a report is not to be had here
    └── OptimizationError  (ArithmeticError) no finite picture could be found

Every class is also the nearest builtin, so ``except OSError`` does what a caller expects. A message
names the file, says what is wrong with it and what to do.
"""


class VidstyleError(Exception):
    """Anything that vidstyle itself reports; the command line turns it into exit status 1."""


class SettingsError(VidstyleError, ValueError):
    """A setting is unknown, out of its range, or contradicts another setting."""


class SourceError(VidstyleError, OSError):
    """An input picture, folder or video cannot be read."""


class DamagedSourceError(SourceError):
    """The input opens but ends early or holds frames that cannot be decoded."""


class OutputError(VidstyleError, OSError):
    """The output cannot be written under the name asked for."""


class JobError(VidstyleError, OSError):
    """The job folder is in use, damaged, deleted or cannot be written to."""


class JobChangedError(JobError):
    """The job folder was begun with other settings, or another input, style or network."""


class JobStoppedError(JobError):
    """The render was asked to stop; the same call continues it."""


class WeightsError(VidstyleError, OSError):
    """Weights of a perceptual network are missing, damaged, or belong to another network."""


class DeviceError(VidstyleError, RuntimeError):
    """The device or precision asked for is not available on this machine."""


class ClusterError(VidstyleError, RuntimeError):
    """The cluster cannot be reached, a machine of it is not fit for the job, or shots of it failed for good."""


class FlowError(VidstyleError, ImportError):
    """The way to estimate optical flow that was asked for is not available on this machine."""


class ReportError(VidstyleError, ImportError):
    """What draws a report's curves is not installed."""


class OptimizationError(VidstyleError, ArithmeticError):
    """The objective has no finite value at any picture that was tried."""


def counted(number: int, noun: str, form: str = "d") -> str:
    """Returns a number with its noun, as "1 process" or "2 processes".

    Args:
        form: how the number is written, as `format` takes it; "," parts thousands.
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:{form}} {noun if number == 1 else plural}"


def counted_were(number: int, noun: str) -> str:
    """Returns the same with its verb, as "1 frame was" or "2 frames were"."""
    return f"{counted(number, noun)} {'was' if number == 1 else 'were'}"
