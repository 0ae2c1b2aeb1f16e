"""A run's profile in words."""

from typing import TYPE_CHECKING

from pixelfast.cli.console import facts, table

if TYPE_CHECKING:
    from pixelfast.machine.stopwatch import Profile, ProfileRow


def describe_profile(profile: "Profile") -> str:
    """Where the time went: a line a phase, then what bounded the run."""
    rows = [_row(row) for row in profile.rows if row.seconds >= 0.0005]
    lines = table(("phase", "stage", "seconds", "share", "MB", "MB/s"), rows)
    said = facts(
        [
            ("wall time", f"{profile.total:.2f} s, {profile.explained:.0%} of it explained by the phases"),
            ("bound by", profile.bound()),
            ("cores", f"{profile.cores:.2f} of {profile.threads} busy on average"),
        ]
    )
    return f"{lines}\n\n{said}"


def _row(row: "ProfileRow") -> tuple[str, ...]:
    megabytes = row.nbytes / 1e6
    moved = (f"{megabytes:.1f}", f"{megabytes / row.seconds:.0f}") if row.nbytes else ("", "")
    return (row.name, row.stage or "-", f"{row.seconds:.2f}", f"{row.share:.0%}", *moved)
