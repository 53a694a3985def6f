"""Every setting of a render, stated once: default, legal values, help text, topic, and what it belongs to.

The command line, configuration files, the manual and the record of a job derive from the fields of `Settings`. To add
a setting, add a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from vidstyle.errors import SettingsError
from vidstyle.frames import SMALLEST_SIDE_PX
from vidstyle.method.features import NETWORKS, POOLINGS, NetworkEntry
from vidstyle.method.flow import FLOWS, FlowEntry
from vidstyle.method.options import AUTO_GAP_FRAMES, MOST_GAP_FRAMES, Options
from vidstyle.settings.kinds import (
    Choice,
    Crop,
    Cuts,
    File,
    FrameRange,
    Frames,
    Name,
    Number,
    Rate,
    Region,
    Several,
    StyleAt,
    Switch,
    Text,
    Whole,
    WholeOr,
    Window,
    split_region,
)
from vidstyle.settings.quality import quality_settings
from vidstyle.settings.setting import Setting, setting

LARGEST_SIZE_PX = 16384
LONGEST_WINDOW_FRAMES = 120
OPTIMIZERS = ("lbfgs", "adam")
# x264's names for its speeds.
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")


def described(entries: Mapping[str, NetworkEntry] | Mapping[str, FlowEntry]) -> str:
    """Returns what is said of the entries of a registry, in one sentence."""
    return "; ".join(f"'{name}' {entry.help}" for name, entry in entries.items())


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a render is done. Values are checked when the object is made.

    Raises:
        SettingsError: a value is not legal, or two contradict each other; the message says what is legal.
    """

    strength: float = setting(
        1.0,
        Number("SHARE", 0, 1),
        "how strongly frames are painted, from 0 (left as they are) to 1; at 0.25 brush strokes lie on a photograph, "
        "at 0.5 it is a painting with its own colors and small details",
        group="look",
        scope="look",
    )
    style_blend: tuple[float, ...] = setting(
        (),
        Several(Number("W", 0, 1e9)),
        "weights of several styles, in their order, as 0.7 0.3; equal if not given",
        group="look",
        scope="look",
    )
    style_size: float = setting(
        1.0,
        Number("FACTOR", 0.1, 4),
        "size of the brush strokes relative to the frame, 0.1 to 4: at 1 the style is taken as large as the frame, 0.5 "
        "is finer, 2 coarser; the same at any --size",
        group="look",
        scope="look",
    )
    style_crop: tuple[float, float, float, float] = setting(
        (0.0, 0.0, 1.0, 1.0),
        Crop(),
        "part of the style picture to use: left, top, width and height as shares of it, as 0.5,0,0.5,1 for the right "
        "half; brush strokes stay as large",
        group="look",
        scope="look",
    )
    style_at: tuple[str, ...] = setting(
        (),
        Several(StyleAt()),
        "styles one after the other, instead of --style, as 0:a.jpg 12.5s:b.jpg: each with the time (12.5s, 1:02.5) or "
        "frame number at which it is reached, all in the same way; in between they fade, and a style named twice stays",
        group="look",
        scope="look",
    )
    color: str = setting(
        "style",
        Choice("style", "content", "match"),
        "whose colors: the style's; the content's ('content': only brightness is painted); or the style recolored with "
        "the palette of the shot's first frame ('match')",
        group="look",
        scope="look",
    )
    animate: Path | None = setting(
        None,
        File("FILE", "the list of settings over time"),
        "strength, style-blend or content-weight over time: a .csv with a line 'time,setting,value' each, or a .json "
        "with a list of such objects; linear in between, constant before the first and after the last",
        group="look",
        scope="look",
    )
    size: int | Literal["source"] = setting(
        640,
        WholeOr("PX", SMALLEST_SIDE_PX, LARGEST_SIZE_PX, "source", "a whole number of pixels"),
        "long side of the painted picture in pixels, or 'source' for the input's own; smaller inputs are not enlarged",
        group="network",
        scope="look",
    )
    network: str = setting(
        "compact",
        Choice(*NETWORKS),
        f"perceptual network: {described(NETWORKS)}",
        group="network",
        scope="look",
    )
    weights: Path | None = setting(
        None,
        File("FILE", "the network's weights"),
        "weights for the network instead of its own: .safetensors or .pth with torchvision's names",
        group="network",
        scope="look",
        of_network=True,
    )
    pooling: str = setting(
        "average", Choice(*POOLINGS), "pooling of vgg19", group="network", scope="look", of_network=True
    )
    iterations: int = setting(
        20,
        Whole("N", 0, 100_000),
        "most optimizer steps for a frame that starts from the painted frame before it; 0 leaves frames as they are",
        group="objective",
        scope="look",
    )
    first_iterations: int = setting(
        50,
        Whole("N", 0, 100_000),
        "steps at each size, from small to full, for frames that start afresh: a shot's first, stills, and all with "
        "--init content or noise; at least --iterations",
        group="objective",
        scope="look",
    )
    content_weight: float = setting(
        1.0, Number("W", 0, 1e9), "weight of the content loss", group="objective", scope="look"
    )
    style_weight: float = setting(
        30.0,
        Number("W", 0, 1e9),
        "weight of the style loss: 10 is subtle, 100 strong",
        group="objective",
        scope="look",
    )
    tv_weight: float = setting(
        1.0,
        Number("W", 0, 1e9),
        "weight of total variation, which smooths; 1 avoids fine grids",
        group="objective",
        scope="look",
    )
    content_layer: str = setting(
        "relu3_4",
        Text("LAYER"),
        "layer whose features are the content",
        group="objective",
        scope="look",
        of_network=True,
    )
    style_layers: tuple[str, ...] = setting(
        ("relu1_1", "relu2_1", "relu3_1", "relu3_4"),
        Several(Text("LAYER")),
        "layers whose features are the style",
        group="objective",
        scope="look",
        of_network=True,
    )
    levels: int = setting(
        0,
        Whole("N", 0, 10),
        "how many sizes of the picture features are taken from, each half of the one before; 0: as the size needs",
        group="objective",
        scope="look",
    )
    style_loss: str = setting(
        "moments",
        Choice("moments", "gram"),
        "how style is measured: 'moments' compares means and covariances of the features, relative to the style's, and "
        "makes the smaller sizes without aliasing; 'gram' compares Gram matrices, which hold both but mostly the means",
        group="objective",
        scope="look",
    )
    content_levels: int = setting(
        2,
        Whole("N", 1, 10),
        "at how many of these sizes the content is held, from the smallest on: 1 holds only what is large, 2 faces and "
        "windows, too, and 3 nearly all, so that the style is left colors and fine strokes; a picture of up to 320 px "
        "has two sizes",
        group="objective",
        scope="look",
    )
    optimizer: str = setting("lbfgs", Choice(*OPTIMIZERS), "optimizer", group="objective", scope="look")
    seed: int = setting(
        0, Whole("N", 0, 2**63 - 1), "seed of the random numbers for noise", group="objective", scope="look"
    )
    init: str = setting(
        "warped",
        Choice("warped", "previous", "content", "noise"),
        "what a frame starts from: the painted frame before it, warped along the optical flow; that frame as it is; "
        "its own content; or noise",
        group="temporal",
        scope="look",
    )
    flow: str = setting(
        "dis",
        Choice(*FLOWS, "off"),
        f"optical flow: {described(FLOWS)}; with 'off' paint keeps its place on the screen",
        group="temporal",
        scope="look",
    )
    temporal_weight: float = setting(
        500.0,
        Number("W", 0, 1e9),
        "how firmly paint sticks to what moves, with --init warped: 0 leaves it free, 2000 fixes it",
        group="temporal",
        scope="look",
    )
    temporal_window: tuple[int, ...] = setting(
        (1,),
        Window(LONGEST_WINDOW_FRAMES),
        "how many frames back to look for paint, with --init warped; 1,5,15 also finds what was hidden for a moment",
        group="temporal",
        scope="look",
    )
    keyframe_every: int | Literal["auto"] = setting(
        1,
        WholeOr("N", 1, MOST_GAP_FRAMES, "auto", "a whole number of frames"),
        "optimize every Nth frame of a shot only, its keyframes, and carry their paint from both sides to the frames "
        "between: quicker, but what fast things uncover may stay unpainted; 'auto' places them where they are needed, "
        f"at most {AUTO_GAP_FRAMES} frames apart; without a flow or with a longer --temporal-window every frame is one",
        group="temporal",
        scope="look",
    )
    least_gain: float = setting(
        0.01,
        Number("SHARE", 0, 1),
        "when to stop on a frame that starts from the painted one before it: as soon as three steps lower the "
        "objective by less than this share, or the first step by less than a third of it; 0: after all steps",
        group="temporal",
        scope="look",
    )
    cuts: str = setting(
        "auto",
        Cuts(),
        "where shots begin, and paint starts afresh: 'auto' finds cuts, 'off' means one shot, or a FILE with a frame "
        "number or time (12.5s, 1:02.5) a line",
        group="shots",
        scope="look",
    )
    split_shots: int | None = setting(
        None,
        Whole("N", 48, 1_000_000),
        "cut shots of more than N frames into parts that are painted at the same time; each part fades into the next",
        group="shots",
        scope="look",
    )
    mask: Path | None = setting(
        None,
        File("MASK", "a mask"),
        "where to paint: a picture for all frames, or a folder or video with a mask for each; white is painted, gray "
        "partly, and black stays exactly as it is",
        group="parts",
        scope="film",
    )
    region: tuple[str, ...] = setting(
        (),
        Several(Region()),
        "another style where a mask (as for --mask) is white; may be given several times, and --style is for what no "
        "region covers; write == for = in the name of a file",
        group="parts",
        scope="film",
    )
    device: str = setting(
        "auto", Choice("auto", "cpu", "cuda", "mps"), "where to compute", group="machine", scope="machine"
    )
    precision: str = setting(
        "auto",
        Choice("auto", "float32", "bfloat16", "float16"),
        "precision of the network; 'auto' is the fastest one that the device computes natively",
        group="machine",
        scope="machine",
    )
    activations_gib: float = setting(
        4.0,
        Number("GIB", 0.01, 4096),
        "memory in GiB for the network's activations; larger pictures are painted in tiles, without seams but rounded "
        "differently, which takes a third more time",
        group="machine",
        scope="look",
    )
    workers: int = setting(
        1,
        Whole("N", 1, 256),
        "processes that paint different shots at the same time, each on a GPU of its own where there are several",
        group="machine",
        scope="machine",
    )
    cluster: str | None = setting(
        None,
        Name("auto|local|ADDRESS"),
        "paint shots on all machines of a Ray cluster: 'auto' is the one that runs here, 'local' is this machine alone",
        group="machine",
        scope="machine",
    )
    gpus_per_shot: float | None = setting(
        None,
        Number("N", 0, 64),
        "GPUs of a cluster for each shot, as 0.5 for two on one; if not given, 1 where the device is a GPU, else 0",
        group="machine",
        scope="machine",
    )
    cpus_per_shot: float | None = setting(
        None,
        Number("N", 0.01, 4096),
        "CPUs of a cluster for each shot; if not given, 1 beside a GPU, else as many as the job has threads",
        group="machine",
        scope="machine",
    )
    no_shared_storage: bool = setting(
        False,
        Switch(),
        "the cluster's machines do not see this machine's files: send them frames and settings, and fetch the results",
        group="machine",
        scope="machine",
    )
    fps: Fraction | None = setting(
        None,
        Rate("RATE", 0.01, 1000),
        "frames per second of a frame folder, instead of the times in its timestamps.csv, or of 25",
        group="input",
        scope="film",
    )
    frames: FrameRange = setting(
        (0, None),
        Frames(),
        "only frames A up to, but not including, B, counted from 0 in display order",
        group="input",
        scope="film",
    )
    stream: int | None = setting(
        None,
        Whole("N", 0, 10_000),
        "which video stream of a file with several, by ffprobe's number; if not given, the one that players show",
        group="input",
        scope="film",
    )
    deinterlace: str = setting(
        "auto",
        Choice("auto", "off"),
        "'auto' deinterlaces interlaced pictures, 'off' takes them as they are",
        group="input",
        scope="look",
    )
    tone_map: str = setting(
        "auto",
        Choice("auto", "off"),
        "'auto' converts high dynamic range (PQ, HLG) and wide gamuts to BT.709, 'off' takes their numbers as they are",
        group="input",
        scope="look",
    )
    frame_format: str = setting(
        "png",
        Choice("png", "jpg", "webp", "tiff"),
        "format of the frames in an output folder",
        group="output",
        scope="output",
        changes_frames=False,  # a job compares the kind of its output instead
    )
    codec: str = setting(
        "auto",
        Choice("auto", "h264", "hevc", "av1", "vp9", "prores", "ffv1"),
        "codec of a video; 'auto' is the first that the file's suffix and the other options allow: H.264, in .webm VP9",
        group="output",
        scope="output",
    )
    pix_fmt: str = setting(
        "auto",
        Text("NAME"),
        "pixel format of a video by FFmpeg's name, as yuv420p, yuv422p10le or gbrp; 'auto' is yuv420p, for prores "
        "yuv422p10le, for ffv1 bgr0 (RGB, lossless)",
        group="output",
        scope="output",
    )
    bit_depth: str = setting(
        "auto",
        Choice("auto", "8", "10", "12", "source"),
        "bits per channel of a video: 'source' is the input's, 'auto' the codec's usual; paint has 8, so more of them "
        "only avoid rounding in YUV",
        group="output",
        scope="output",
    )
    crf: int | None = setting(
        None,
        Whole("N", 0, 100),
        "quality of a video in the codec's own numbers, 0 the best: h264 and hevc to 51 (16 if not given), av1 (16) "
        "and vp9 (20) to 63, .webp to 100 (10; 0 is lossless); prores, ffv1 and .gif have none",
        group="output",
        scope="output",
    )
    preset: str = setting(
        "auto",
        Choice("auto", *PRESETS),
        "how long h264, hevc, av1 and vp9 try to make a video small, by x264's names; 'auto' is medium",
        group="output",
        scope="output",
    )
    audio: str = setting(
        "auto",
        Choice("auto", "copy", "aac", "opus"),
        "sound: 'auto' copies it where the output takes it as it is, and converts it elsewhere; 'copy' never converts, "
        "'aac' and 'opus' always do",
        group="output",
        scope="look",
        when_joining=True,
    )
    no_audio: bool = setting(False, Switch(), "leave the sound out", group="output", scope="look", when_joining=True)
    no_location: bool = setting(
        False,
        Switch(),
        "leave out tags and data tracks that tell where it was filmed",
        group="output",
        scope="look",
        when_joining=True,
    )
    keep_going: bool = setting(
        False,
        Switch(),
        "paint what can be decoded of a damaged video instead of stopping",
        group="run",
        scope="look",
    )
    report: Path | None = setting(
        None,
        File("PAGE"),
        "at the end, write a page (.html) about the render, in one file: pictures before and after, settings, curves "
        "of loss, time and steadiness, cuts, versions; needs vidstyle[report]",
        group="run",
        scope="run",
    )
    overwrite: bool = setting(False, Switch(), "replace an existing output", group="run", scope="run")
    job_dir: Path | None = setting(
        None,
        File("FOLDER"),
        "folder for what is needed to continue, instead of OUTPUT.vidstyle beside the output",
        group="run",
        scope="run",
    )
    keep_job: bool = setting(False, Switch(), "keep the job folder at the end", group="run", scope="run")
    restart: bool = setting(
        False,
        Switch(),
        "throw away what an earlier run has painted, and begin anew",
        group="run",
        scope="run",
        is_repeated=False,
    )

    def __post_init__(self) -> None:
        for spec in ALL_SETTINGS.values():
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))
        _check_objective(self)
        _check_look(self)
        _check_machines(self)
        start, stop = self.frames
        if start < 0 or (stop is not None and stop <= start):
            raise SettingsError(f"frames {start}:{'' if stop is None else stop} is empty; give A:B with 0 <= A < B")
        if self.no_audio and self.audio != "auto":
            raise SettingsError(f"no_audio and audio {self.audio} contradict each other; leave one out")

    @classmethod
    def of_quality(cls, name: str, **others: Any) -> Settings:
        """Returns the settings of the preset "draft", "standard", "high" or "best"; `others` win over it.

        Raises:
            SettingsError: there is no such preset, or a value is not legal.
        """
        return cls(**quality_settings(name) | others)

    @property
    def regions(self) -> tuple[tuple[Path, Path], ...]:
        """Mask and style of each region."""
        return tuple(split_region(region) for region in self.region)

    @property
    def options(self) -> Options:
        """Those that the method depends on."""
        return Options(**{spec.name: getattr(self, spec.name) for spec in fields(Options)})

    @property
    def is_warped(self) -> bool:
        """Whether paint is warped along the optical flow."""
        return self.init == "warped" and self.flow != "off"

    @property
    def keyframe_frames(self) -> int:
        """The most frames from one keyframe to the next; 1: every frame is one."""
        if not self.is_warped or self.temporal_window != (1,):
            return 1
        return AUTO_GAP_FRAMES if self.keyframe_every == "auto" else self.keyframe_every

    @property
    def keyframes_are_chosen(self) -> bool:
        """Whether keyframes are placed where they are needed."""
        return self.keyframe_every == "auto"

    @property
    def looks_back_frames(self) -> int:
        """How many stylized frames before it a frame may depend on, besides the first of its shot."""
        if self.is_warped:
            return max(self.keyframe_frames, *self.temporal_window)
        return 1 if self.init in ("warped", "previous") else 0


# Every setting by name, in the order of the fields.
ALL_SETTINGS: Mapping[str, Setting] = {
    spec.name: Setting(spec.name, spec.default, **spec.metadata) for spec in fields(Settings)
}
# Names that settings had before, each with that of today; they are refused, and the message says the new one.
RENAMED: Mapping[str, str] = {"keyframes": "animate"}


def _check_objective(settings: Settings) -> None:
    if settings.pooling not in NETWORKS[settings.network].poolings:
        others = " and ".join(name for name, entry in NETWORKS.items() if settings.pooling in entry.poolings)
        raise SettingsError(f"pooling {settings.pooling} is for {others}; {settings.network} has its own")
    layers, window = settings.style_layers, settings.temporal_window
    if not layers or len(set(layers)) != len(layers):
        raise SettingsError("style_layers needs at least one layer, each named once")
    if not window or window[0] != 1 or list(window) != sorted(set(window)):
        raise SettingsError("temporal_window begins with 1, the frame before, and ascends")
    if settings.keyframe_every not in (1, "auto", settings.keyframe_frames):
        raise SettingsError("with keyframe_every above 1, init must be 'warped', flow not 'off', and temporal_window 1")
    if not any((settings.content_weight, settings.style_weight, settings.tv_weight)):
        raise SettingsError("content_weight, style_weight and tv_weight are all 0; give one of them some weight")


def _check_look(settings: Settings) -> None:
    left, top, width, height = settings.style_crop
    if not width or not height or max(left + width, top + height) > 1 + 1e-9:
        shown = ",".join(f"{share:g}" for share in settings.style_crop)
        raise SettingsError(f"style_crop {shown} reaches out of the picture, or leaves nothing of it")
    if settings.style_blend and not any(settings.style_blend):
        raise SettingsError("style_blend is all 0; give one style at least some weight")
    if settings.style_blend and settings.style_at:
        raise SettingsError("style_blend and style_at both say what styles count; leave one out")


def _check_machines(settings: Settings) -> None:
    if settings.cluster is None:
        for name in ("gpus_per_shot", "cpus_per_shot", "no_shared_storage"):
            if getattr(settings, name) != ALL_SETTINGS[name].default:
                raise SettingsError(f"{name} is for a cluster; give --cluster as well, or leave it out")
        return
    if settings.workers > 1:
        raise SettingsError("workers are processes of one machine; with --cluster, leave --workers out")
    if settings.cluster.startswith("ray://"):
        raise SettingsError(
            f"cluster is {settings.cluster!r}; start the render on a machine of the cluster, with --cluster auto"
        )
    gpus = settings.gpus_per_shot
    if gpus is not None and gpus > 1 and gpus % 1:
        raise SettingsError(f"gpus_per_shot is {gpus}; above 1, give a whole number")
