"""What the settings say of the machines that paint, and which of it goes together."""

from __future__ import annotations

from vidstyle.errors import SettingsError


def check_machines(
    workers: int, cluster: str | None, gpus_per_shot: float | None, cpus_per_shot: float | None, is_apart: bool
) -> None:
    """Makes sure that what is said of processes and clusters goes together.

    Args:
        is_apart: whether the machines of the cluster do not see this one's files.

    Raises:
        SettingsError: it does not.
    """
    if cluster is None:
        given = {"gpus_per_shot": gpus_per_shot is not None, "cpus_per_shot": cpus_per_shot is not None}
        for name, is_given in (given | {"no_shared_storage": is_apart}).items():
            if is_given:
                raise SettingsError(f"{name} is for a cluster; give --cluster as well, or leave it out")
        return
    if workers > 1:
        raise SettingsError("workers are processes of one machine; with --cluster, leave --workers out")
    if cluster.startswith("ray://"):
        raise SettingsError(
            f"cluster is {cluster!r}; start the render on a machine of the cluster, with --cluster auto"
        )
    if gpus_per_shot is not None and gpus_per_shot > 1 and gpus_per_shot % 1:
        raise SettingsError(f"gpus_per_shot is {gpus_per_shot}; above 1, give a whole number")
