"""Every setting of a render: default, legal values and help text, stated once.

The command line, and whatever else reads or writes settings, derives from the fields of `Settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from vidstyle.errors import SettingsError
from vidstyle.frames import SMALLEST_SIDE_PX
from vidstyle.method.features import NETWORKS, POOLINGS
from vidstyle.method.flow import FLOWS
from vidstyle.method.options import Options
from vidstyle.settings.looks import LookSettings
from vidstyle.settings.machines import check_machines
from vidstyle.settings.quality import quality_settings
from vidstyle.settings.values import (
    FrameRange,
    check_series,
    checked,
    parse_cuts,
    parse_frames,
    parse_name,
    parse_rate,
    parse_region,
    parse_size,
    parse_window,
    setting,
    split_region,
)

LARGEST_SIZE_PX = 16384
# x264's names for its speeds.
_FAST = ("ultrafast", "superfast", "veryfast", "faster", "fast")
PRESETS = (*_FAST, "medium", "slow", "slower", "veryslow", "placebo")
LONGEST_WINDOW_FRAMES = 120


@dataclass(frozen=True, kw_only=True)
class Settings(LookSettings):
    """How to paint. Values are checked when the object is made.

    Raises:
        SettingsError: a value is not legal; the message says which are.
    """

    size: int | Literal["source"] = setting(
        640,
        "long side of the painted picture in pixels, or 'source' for the input's own; smaller inputs are not enlarged",
        parse=parse_size,
        low=SMALLEST_SIDE_PX,
        high=LARGEST_SIZE_PX,
        metavar="PX|source",
    )
    network: str = setting(
        "compact",
        "perceptual network: " + ", ".join(f"'{name}' {entry.help}" for name, entry in NETWORKS.items()),
        parse=str,
        choices=tuple(NETWORKS),
    )
    weights: Path | None = setting(
        None,
        "weights of the network, .safetensors or .pth with torchvision's names, instead of its own",
        parse=Path,
        metavar="FILE",
        paints=False,
    )
    pooling: str = setting("average", "pooling of vgg19", parse=str, choices=POOLINGS)
    iterations: int = setting(
        20,
        "most optimizer steps for a frame that starts from the painted one before it; 0 leaves frames unpainted",
        parse=int,
        low=0,
        high=100_000,
        metavar="N",
    )
    first_iterations: int = setting(
        50,
        "steps at each size, from small to full, for frames that start afresh: a shot's first, stills, all with "
        "--init content or noise; at least --iterations",
        parse=int,
        low=0,
        high=100_000,
        metavar="N",
    )
    content_weight: float = setting(1.0, "weight of the content loss", parse=float, low=0, high=1e9, metavar="W")
    style_weight: float = setting(
        30.0,
        "weight of the style loss: 10 is subtle, 100 strong",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    tv_weight: float = setting(
        1.0,
        "weight of total variation, which smooths; 1 keeps fine grids away",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    content_layer: str = setting("relu3_4", "layer that holds the content", parse=str, metavar="LAYER")
    style_layers: tuple[str, ...] = setting(
        ("relu1_1", "relu2_1", "relu3_1", "relu3_4"),
        "layers whose Gram matrices hold the style",
        parse=str,
        metavar="LAYER",
        many=True,
    )
    levels: int = setting(
        0,
        "half-size copies of the picture that features are taken from, itself included; 0: by size",
        parse=int,
        low=0,
        high=10,
        metavar="N",
    )
    optimizer: str = setting("lbfgs", "optimizer", parse=str, choices=("lbfgs", "adam"))
    seed: int = setting(0, "seed of the noise", parse=int, low=0, high=2**63 - 1, metavar="N")
    init: str = setting(
        "warped",
        "what a frame starts from: the previous painted frame carried along by optical flow, that frame as it is, "
        "its own content, or noise",
        parse=str,
        choices=("warped", "previous", "content", "noise"),
    )
    flow: str = setting(
        "dis",
        "optical flow: "
        + ", ".join(f"'{name}' {entry.help}" for name, entry in FLOWS.items())
        + "; with 'off' paint stays where it is on the screen",
        parse=str,
        choices=(*FLOWS, "off"),
    )
    temporal_weight: float = setting(
        500.0,
        "how firmly paint is held on to what moves, with --init warped: 0 lets it live, 2000 keeps it as it is",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    temporal_window: tuple[int, ...] = setting(
        (1,),
        "how many frames back to look for paint, with --init warped: 1,5,15 also finds what was hidden for a moment",
        parse=parse_window,
        low=1,
        high=LONGEST_WINDOW_FRAMES,
        metavar="N,N,...",
    )
    least_gain: float = setting(
        0.01,
        "a frame that starts from the painted one before it is done when three steps lower its objective by less than "
        "this share, or the first one by less than a third of it; 0: after all steps",
        parse=float,
        low=0,
        high=1,
        metavar="SHARE",
    )
    cuts: str = setting(
        "auto",
        "where shots begin and paint starts afresh: found by 'auto', none with 'off', or a FILE with a frame number or "
        "time (12.5s, 1:02.5) a line",
        parse=parse_cuts,
        metavar="auto|off|FILE",
        paints=False,
    )
    split_shots: int | None = setting(
        None,
        "cut shots of more than N frames into parts to be painted at once, each of which fades into the next",
        parse=int,
        low=48,
        high=1_000_000,
        metavar="N",
    )
    mask: Path | None = setting(
        None,
        "picture, folder or video with a mask for every frame, or one picture for all: white is painted, gray partly, "
        "and black stays as it is, to the pixel",
        parse=Path,
        metavar="MASK",
        paints=False,
    )
    region: tuple[str, ...] = setting(
        (),
        "another style where a mask (as for --mask) is white; may be given several times, and what no region covers "
        "takes --style; write == for = in the name of a file",
        parse=parse_region,
        metavar="MASK=STYLE",
        many=True,
        paints=False,
    )
    device: str = setting("auto", "where to compute", parse=str, choices=("auto", "cpu", "cuda", "mps"), paints=False)
    precision: str = setting(
        "auto",
        "precision of the network; 'auto' is the fastest one that the device computes natively",
        parse=str,
        choices=("auto", "float32", "bfloat16", "float16"),
        paints=False,
    )
    activations_gib: float = setting(
        4.0,
        "memory in GiB for the network's activations; larger pictures are painted in tiles, without seams but rounded "
        "differently, which takes a third more time",
        parse=float,
        low=0.01,
        high=4096,
        metavar="GIB",
    )
    workers: int = setting(
        1,
        "processes that paint different shots at once, on a GPU each where there are several",
        parse=int,
        low=1,
        high=256,
        metavar="N",
        paints=False,
    )
    cluster: str | None = setting(
        None,
        "paint shots on all machines of a Ray cluster: 'auto' is the one that runs here, 'local' this machine alone",
        parse=parse_name,
        metavar="auto|local|ADDRESS",
        paints=False,
    )
    gpus_per_shot: float | None = setting(
        None,
        "of a cluster's GPUs for each shot, as 0.5 for two on one; 1 if not given and --device is one, else 0",
        parse=float,
        low=0,
        high=64,
        metavar="N",
        paints=False,
    )
    cpus_per_shot: float | None = setting(
        None,
        "of a cluster's CPUs for each shot; if not given, 1 beside a GPU, else as many as one process computes with",
        parse=float,
        low=0.01,
        high=4096,
        metavar="N",
        paints=False,
    )
    no_shared_storage: bool = setting(
        False,
        "the cluster's machines do not see this one's files: send them frames and settings, and fetch what they paint",
        paints=False,
    )
    fps: Fraction | None = setting(
        None,
        "frames per second of a frame folder, instead of the times in its timestamps.csv, or of 25",
        parse=parse_rate,
        low=0.01,
        high=1000,
        metavar="RATE",
    )
    frames: FrameRange = setting(
        (0, None),
        "only frames A up to, not including, B, counted from 0 in display order",
        parse=parse_frames,
        metavar="A:B",
    )
    stream: int | None = setting(
        None,
        "which video stream of a file with several, by the number that ffprobe gives it; the one that players show "
        "if not given",
        parse=int,
        low=0,
        high=10_000,
        metavar="N",
    )
    deinterlace: str = setting(
        "auto",
        "interlaced pictures are made whole by 'auto', taken as they are by 'off'",
        parse=str,
        choices=("auto", "off"),
    )
    tone_map: str = setting(
        "auto",
        "high dynamic range (PQ, HLG) and wide gamuts are brought to BT.709 by 'auto', their numbers taken as they "
        "are by 'off'",
        parse=str,
        choices=("auto", "off"),
    )
    frame_format: str = setting(
        "png",
        "format of the frames in an output folder",
        parse=str,
        choices=("png", "jpg", "webp", "tiff"),
        paints=False,
    )
    codec: str = setting(
        "auto",
        "codec of a video; 'auto' is the first one that its suffix and the wishes below allow, H.264 or in .webm VP9",
        parse=str,
        choices=("auto", "h264", "hevc", "av1", "vp9", "prores", "ffv1"),
    )
    pix_fmt: str = setting(
        "auto",
        "pixel format of a video in FFmpeg's words, as yuv420p, yuv422p10le or gbrp; 'auto' is yuv420p, for prores "
        "yuv422p10le, for ffv1 bgr0 (RGB, which loses nothing)",
        parse=str,
        metavar="NAME",
    )
    bit_depth: str = setting(
        "auto",
        "bits per channel of a video: 'source' is the input's, 'auto' the codec's usual; paint has 8, so that more of "
        "them only spare the rounding in YUV",
        parse=str,
        choices=("auto", "8", "10", "12", "source"),
    )
    crf: int | None = setting(
        None,
        "quality of a video in the codec's own numbers, 0 the best: h264 and hevc to 51 (16 if not given), av1 (16) "
        "and vp9 (20) to 63, .webp to 100 (10; 0 is lossless); prores, ffv1 and .gif have none",
        parse=int,
        low=0,
        high=100,
        metavar="N",
    )
    preset: str = setting(
        "auto",
        "how long h264, hevc, av1 and vp9 try to make a video small, in x264's words; 'auto' is medium",
        parse=str,
        choices=("auto", *PRESETS),
    )
    audio: str = setting(
        "auto",
        "sound: copied as it is where the output takes it and converted elsewhere with 'auto', never converted with "
        "'copy', always with 'aac' or 'opus'",
        parse=str,
        choices=("auto", "copy", "aac", "opus"),
        joins=True,
    )
    no_audio: bool = setting(False, "leave the sound out", joins=True)
    no_location: bool = setting(False, "leave out tags and data tracks that tell where it was filmed", joins=True)
    keep_going: bool = setting(False, "paint what can be decoded of a damaged video instead of stopping")
    report: Path | None = setting(
        None,
        "when all is done, write a page (.html) on the render that stands alone: pictures before and after, settings, "
        "curves of loss, time and steadiness, cuts, versions; needs vidstyle[report]",
        parse=Path,
        metavar="PAGE",
        paints=False,
    )
    overwrite: bool = setting(False, "replace an existing output", paints=False)
    job_dir: Path | None = setting(
        None,
        "folder for what is needed to continue, instead of OUTPUT.vidstyle beside the output",
        parse=Path,
        metavar="FOLDER",
        paints=False,
    )
    keep_job: bool = setting(False, "keep the job folder when all is done", paints=False)
    restart: bool = setting(False, "throw away what an earlier run has painted, and begin anew", paints=False)

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = checked(spec.name, getattr(self, spec.name), spec.default, dict(spec.metadata))
            object.__setattr__(self, spec.name, value)
        if self.pooling not in NETWORKS[self.network].poolings:
            others = " and ".join(name for name, entry in NETWORKS.items() if self.pooling in entry.poolings)
            raise SettingsError(f"pooling {self.pooling} is for {others}; {self.network} has its own")
        if self.no_audio and self.audio != "auto":
            raise SettingsError(f"no_audio and audio {self.audio} contradict each other; leave one out")
        check_machines(self.workers, self.cluster, self.gpus_per_shot, self.cpus_per_shot, self.no_shared_storage)
        check_series(self.frames, self.style_layers, self.temporal_window)
        self.check_look(self.content_weight, self.style_weight, self.tv_weight)

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
        """Whether paint is carried along by optical flow."""
        return self.init == "warped" and self.flow != "off"

    @property
    def needs_flow(self) -> bool:
        """Whether optical flow is estimated at all."""
        return self.is_warped

    @property
    def looks_back_frames(self) -> int:
        """How many painted frames before it a frame may depend on, besides the first of its shot."""
        if self.is_warped:
            return max(self.temporal_window)
        return 1 if self.init in ("warped", "previous") else 0
