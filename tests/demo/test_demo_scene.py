"""The drawn scene: the same bytes for the same seed, everything in its place, and a truth that is true."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixelfast.demo.backdrop import build_backdrop
from pixelfast.demo.ground import DOOR_X, WALL_Z, on_the_lawn
from pixelfast.demo.people import WALK, Look, person
from pixelfast.demo.routes import (
    HABITS,
    Route,
    along_crossing,
    along_path,
    off_the_crossing,
    over_the_lawn,
    usual_route,
)
from pixelfast.demo.scene import Scene, SceneSpec, draw_faults, generate_scene
from pixelfast.demo.shapes import Camera
from pixelfast.demo.story import FRAMES_PER_SECOND, Actor, cast
from pixelfast.errors import OutputError
from pixelfast.progress import Progress

SMALL = SceneSpec(seed=3, height=90, width=160, train_videos=1, train_frames=20, test_videos=2, test_frames=40)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return generate_scene(tmp_path_factory.mktemp("drawn") / "scene", SMALL)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def grey(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float64)


def frames_of(scene: Scene, kind: str) -> Iterator[tuple[str, int, Path]]:
    for video, numbers in scene.truth[kind].items():
        for number in numbers:
            yield video, number, scene.test / video / f"frame_{number:04d}.jpg"


@pytest.mark.parametrize("threads", [1, 3])
def test_same_seed_same_bytes_for_any_threads(scene: Scene, tmp_path: Path, threads: int) -> None:
    again = generate_scene(tmp_path / "scene", SMALL, threads=threads)
    assert digests(again.folder) == digests(scene.folder)


def test_another_seed_is_another_scene(scene: Scene, tmp_path: Path) -> None:
    spec = SceneSpec(seed=4, height=90, width=160, train_videos=1, train_frames=20, test_videos=2, test_frames=40)
    ours, other = digests(scene.folder), digests(generate_scene(tmp_path / "scene", spec).folder)
    assert ours.keys() == other.keys()
    assert all(ours[name] != other[name] for name in ours if name.endswith(".jpg"))


def test_layout(scene: Scene) -> None:
    frames = sorted(str(path.relative_to(scene.folder)) for path in scene.folder.rglob("*.jpg"))
    expected = [f"test/{video:02d}/frame_{frame:04d}.jpg" for video in (1, 2) for frame in range(1, 41)]
    expected += [f"train/01/frame_{frame:04d}.jpg" for frame in range(1, 21)]
    assert frames == expected
    assert sorted(path.name for path in scene.folder.iterdir()) == ["labels.csv", "test", "train", "truth.json"]


def test_frames_are_colour_jpegs_of_quality_90(scene: Scene) -> None:
    with Image.open(scene.train / "01" / "frame_0001.jpg") as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (160, 90), "RGB")
        # The first entry of the luminance table: 16 in the standard's example, which quality 90 makes 3.
        assert image.quantization[0][0] == 3


def test_labels_are_of_every_test_frame_in_order(scene: Scene) -> None:
    with scene.labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Id"] for row in rows] == [f"{video}_{frame}" for video in (1, 2) for frame in range(1, 41)]
    assert {row["Label"] for row in rows} == {"0", "1"}
    share = sum(int(row["Label"]) for row in rows) / len(rows)
    assert share == pytest.approx(scene.truth["abnormal_share"], abs=1e-4)


def test_labels_are_the_events(scene: Scene) -> None:
    with scene.labels.open(newline="") as file:
        labelled = {row["Id"] for row in csv.DictReader(file) if row["Label"] == "1"}
    events = {
        f"{int(event['video'])}_{frame}"
        for event in scene.truth["events"]
        for frame in range(event["first"], event["last"] + 1)
    }
    assert labelled == events


def test_flipped_frames_stand_upside_down_and_no_others(scene: Scene) -> None:
    empty = build_backdrop(SMALL.height, SMALL.width, SMALL.seed).picture.mean(axis=2)
    flipped = {(video, number) for video, number, _ in frames_of(scene, "flipped")}
    spared = {(video, number) for kind in ("heavy_noise", "truncated") for video, number, _ in frames_of(scene, kind)}
    for path in sorted(scene.test.rglob("*.jpg")):
        frame = (path.parent.name, int(path.stem[-4:]))
        if frame in spared:
            continue
        picture = grey(path)
        upright, turned = (np.corrcoef(picture.ravel(), view.ravel())[0, 1] for view in (empty, empty[::-1]))
        assert (turned > upright) == (frame in flipped), path


def test_truncated_files_are_cut_and_no_others(scene: Scene) -> None:
    cut = {path for _, _, path in frames_of(scene, "truncated")}
    assert len(cut) == 1
    for path in sorted(scene.test.rglob("*.jpg")):
        whole = path.read_bytes().endswith(b"\xff\xd9")
        assert whole == (path not in cut)
        if not whole:
            with pytest.raises(OSError, match="truncated"):
                grey(path)


def test_heavy_noise_stands_out(scene: Scene) -> None:
    noisy = {path for _, _, path in frames_of(scene, "heavy_noise")}
    cut = {path for _, _, path in frames_of(scene, "truncated")}
    residual = {}
    for path in sorted(scene.test.rglob("*.jpg")):
        if path not in cut:
            picture = grey(path)
            residual[path] = np.abs(np.diff(picture, 2, axis=0)).mean()
    calm = max(value for path, value in residual.items() if path not in noisy)
    assert noisy
    assert min(residual[path] for path in noisy) > 1.5 * calm


@given(seed=st.integers(0, 2**32), video=st.integers(1, 9), frames=st.integers(20, 400))
def test_a_tenth_is_flipped_in_runs_and_singly(seed: int, video: int, frames: int) -> None:
    faults = draw_faults(seed, video, frames)
    assert len(faults.flipped) == max(round(0.1 * frames), 1)
    assert not faults.flipped & faults.noisy
    assert not faults.truncated & (faults.flipped | faults.noisy)
    assert all(0 <= index < frames for index in faults.flipped | faults.noisy | faults.truncated)
    assert len(faults.truncated) == (1 if video in (2, 5) else 0)
    alone = [i for i in faults.flipped if not {i - 1, i + 1} & faults.flipped]
    if frames >= 80:
        assert 0 < len(alone) < len(faults.flipped)


@pytest.mark.parametrize("seed", range(5))
def test_a_quarter_is_abnormal_and_every_oddity_is_there(seed: int) -> None:
    spec = SceneSpec(seed=seed)
    camera = Camera.looking_down_the_path(spec.height, spec.width)
    odd, kinds, frames = 0, set(), 0
    for split, number, length in spec.videos:
        actors = cast(seed, split, number, length / FRAMES_PER_SECOND)
        if split == "train":
            assert {actor.kind for actor in actors} == {"walker"}
            continue
        frames += length
        seen = [{actor.kind for actor in actors if actor.is_odd(i / FRAMES_PER_SECOND, camera)} for i in range(length)]
        odd += sum(bool(kind) for kind in seen)
        kinds |= set().union(*seen)
    assert 0.15 <= odd / frames <= 0.30
    assert kinds == {"cyclist", "cart", "runner", "trespasser"}


@pytest.mark.parametrize("seed", range(5))
def test_about_the_same_number_of_people_is_always_about(seed: int) -> None:
    for number in (1, 2):
        actors = cast(seed, "train", number, 14.0)
        about = [sum(actor.body(second) is not None for actor in actors) for second in np.arange(0.0, 14.0, 0.5)]
        assert min(about) >= 6
        assert max(about) <= 16


def test_only_trespassers_go_over_the_lawn() -> None:
    rng = np.random.default_rng(0)
    for habit in HABITS * 12:
        route = usual_route(rng, habit)
        places = [route.at(way)[0] for way in np.linspace(0, route.length, 60)]
        assert not any(on_the_lawn(float(x), float(z)) for x, z in places if z < 36)
    for right in (False, True):
        route = over_the_lawn(rng, right)
        assert route.at(0.0)[0][0] * (1 if right else -1) > 5
        assert any(on_the_lawn(*route.at(way)[0].tolist()) for way in np.linspace(0, route.length, 60))


@pytest.mark.parametrize("route", [along_path(8.0, 37.0, 0.5), along_crossing(0.3), along_crossing(0.7).reversed()])
def test_routes_are_walked_at_an_even_pace(route: Route) -> None:
    ways = np.arange(1.0, route.length - 1.0, 0.25)
    places = np.array([route.at(way)[0] for way in ways])
    headings = np.array([route.at(way)[1] for way in ways])
    steps = np.hypot(*np.diff(places, axis=0).T)
    np.testing.assert_allclose(steps, 0.25, rtol=0.02)
    np.testing.assert_allclose(np.hypot(*headings.T), 1.0, atol=1e-9)
    along = np.diff(places, axis=0) / steps[:, None]
    assert (np.sum(along * headings[:-1], axis=1) > 0.99).all()


def test_feet_do_not_slide() -> None:
    look = Look.random(np.random.default_rng(1))
    heading = np.array([1.0, 0.0])

    def heels(way: float) -> NDArray[np.float64]:
        body = person(look, WALK, np.array([way, 15.0]), heading, way)
        shoes = [index for index, color in enumerate(body.limb_colors) if color == look.shoes]
        assert len(shoes) == 2
        return body.ends[shoes, 0]

    ways = np.arange(0.0, 3.0, 0.02)
    feet = np.stack([heels(way) for way in ways])
    on_the_ground = feet[..., 1] <= feet[..., 1].min() + 1e-9
    stays = on_the_ground[1:] & on_the_ground[:-1]
    assert 0.5 < stays.mean() < 0.7
    assert np.abs(np.diff(feet[..., 0], axis=0))[stays].max() < 1e-9
    assert on_the_ground.any(axis=1).all()  # a walker always has a foot on the ground


def test_people_are_smaller_further_away() -> None:
    camera = Camera.looking_down_the_path(360, 640)
    look = Look.random(np.random.default_rng(1))

    def height(z: float) -> float:
        rows = camera.project(person(look, WALK, np.array([0.0, z]), np.array([1.0, 0.0]), 0.0).ends)[..., 1]
        return float(np.ptp(rows))

    assert height(12.0) == pytest.approx(3 * height(36.0), rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_comes_out_of_nowhere(seed: int) -> None:
    """Every way begins and ends beside or below the picture, or at the door."""
    camera = Camera.looking_down_the_path(360, 640)
    rng = np.random.default_rng(seed)
    ways = [usual_route(rng, habit) for habit in HABITS]
    ways += [over_the_lawn(rng, right) for right in (False, True)]
    ways += [off_the_crossing(0.5, right) for right in (False, True)]
    for x, z in np.concatenate([route.corners[[0, -1]] for route in ways]):
        head = camera.project(np.array([x, 1.9, z]))
        seen = 0 <= head[0] < camera.width and head[1] < camera.height
        assert not seen or (x == DOOR_X and z > WALL_Z - 1), (x, z)


def test_an_actor_before_and_after_its_way_is_nowhere() -> None:
    actor = next(actor for actor in cast(0, "test", 1, 12.0) if actor.kind == "cyclist")
    end = actor.start + actor.route.length / actor.speed
    assert actor.body(actor.start - 0.1) is None
    assert actor.body(end + 0.1) is None
    assert isinstance(actor, Actor)
    assert actor.body((actor.start + end) / 2) is not None


def test_a_scene_that_is_there_is_reused(tmp_path: Path) -> None:
    spec = SceneSpec(height=36, width=64, train_videos=1, train_frames=2, test_videos=1, test_frames=10)
    first = generate_scene(tmp_path / "scene", spec)
    stamps = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*.jpg")}
    again = generate_scene(tmp_path / "scene", spec)
    assert (first.reused, again.reused) == (False, True)
    assert again.truth == first.truth
    assert {path: path.stat().st_mtime_ns for path in again.folder.rglob("*.jpg")} == stamps


def test_a_scene_that_lacks_a_frame_is_drawn_again(tmp_path: Path) -> None:
    spec = SceneSpec(height=36, width=64, train_videos=1, train_frames=2, test_videos=1, test_frames=10)
    first = generate_scene(tmp_path / "scene", spec)
    (first.test / "01" / "frame_0003.jpg").unlink()
    again = generate_scene(tmp_path / "scene", spec)
    assert not again.reused
    assert (first.test / "01" / "frame_0003.jpg").is_file()


def test_an_older_version_of_the_scene_is_drawn_again(tmp_path: Path) -> None:
    spec = SceneSpec(height=36, width=64, train_videos=1, train_frames=2, test_videos=1, test_frames=10)
    folder = generate_scene(tmp_path / "scene", spec).folder
    truth = json.loads((folder / "truth.json").read_text())
    (folder / "truth.json").write_text(json.dumps({**truth, "version": 0}))
    assert not generate_scene(folder, spec).reused


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    with pytest.raises(OutputError, match="is there and is no demo scene"):
        generate_scene(tmp_path / "mine", SMALL)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["diary.txt"]


def test_an_output_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write the demo scene"):
        generate_scene(tmp_path / "file" / "scene", SMALL)


def test_what_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        if step.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_scene(tmp_path / "scene", SMALL, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_frame(tmp_path: Path) -> None:
    spec = SceneSpec(height=36, width=64, train_videos=1, train_frames=2, test_videos=1, test_frames=10)
    steps: list[Progress] = []
    generate_scene(tmp_path / "scene", spec, progress=steps.append)
    assert [(step.phase, step.done, step.total) for step in steps] == [("scene", n, 12) for n in range(1, 13)]
