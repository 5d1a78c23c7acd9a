"""``portraiture evaluate`` through a fake pipeline, and the rows of ``--compare`` from random weights."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from portraiture.export.contract import Size, model_contract
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.runner import Feeds
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.metrics import psnr_db
from portraiture.reference.render import render
from portraiture.reference.settings import Mode, RenderSettings
from portraiture.tools import cli, open_pipeline
from portraiture.tools.evaluate import networks
from portraiture.tools.evaluate.worst import ROW_PX
from portraiture.training.data.bsds_people import WITH_PEOPLE
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tensor_files import save_tensors

H, W = 64, 48
SIZE = Size(H, W)


class FakeRunner:
    """Refined: bright is person, green is depth. Coarse: the same, two columns further right. Filter: the photo."""

    def __init__(self, name: str) -> None:
        self.contract, self.size, self.name = model_contract(name), SIZE, name

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        rgb = np.asarray(feeds["rgb"])
        if self.name == "filter":
            return {"portrait": rgb}
        mask, depth = rgb[..., 0], rgb[..., 1]
        if self.name == "segmentation_spn":  # the photo's own mask, whatever is given, as long as it is like it
            assert np.abs(np.asarray(feeds["coarse_mask"]) - mask).mean() < 0.3
        if self.name == "coarse":
            mask, depth = np.roll(mask, 2, 1), 1 - depth
        return {"mask": mask.astype(np.float32), "depth": depth.astype(np.float32)}


@pytest.fixture(autouse=True)
def fake_pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    pipeline = Pipeline(lambda name, size: FakeRunner(name), [SIZE])
    monkeypatch.setattr(open_pipeline, "open_pipeline", lambda *_, **__: pipeline)
    return pipeline


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "DEFAULT_SIZE", Size(64, 64))


SIZES = (Size(512, 384), Size(384, 512))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command line in this process; returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["portraiture", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def person(shift: int = 0) -> np.ndarray:
    mask = np.zeros((H, W), bool)
    mask[12:, 14 + shift : 34 + shift] = True
    return mask


def photo(mask: np.ndarray) -> np.ndarray:
    """Red where the mask is; green grows to the right and stays below 0.2 on the person."""
    rgb = np.zeros((H, W, 3), np.uint8)
    rgb[..., 0] = np.where(mask, 250, 5)
    rgb[..., 1] = np.where(mask, 20 + np.arange(W) // 4, 100 + 3 * np.arange(W))
    return rgb


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Six photos with masks; the truth of photo k lies k columns beside what the photo shows."""
    for k in range(6):
        write(tmp_path / f"people/images/p{k}.png", photo(person()))
        write(tmp_path / f"people/masks/p{k}.png", person(k).astype(np.uint8) * 255)
    return tmp_path / "people"


def save(path: Path, network: torch.nn.Module, **metadata: object) -> Path:
    torch.manual_seed(0)
    save_tensors(path, network.state_dict(), {"model": type(network).__name__, **metadata})
    return path


Run = Callable[..., tuple[str, dict[str, Any]]]


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run ``evaluate`` on all photos; its output and its JSON."""

    def run(*arguments: object) -> tuple[str, dict[str, Any]]:
        file = tmp_path / "figures.json"
        code = call(monkeypatch, "evaluate", *arguments, "--split", "all", "--json", file)
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return captured.out, json.loads(file.read_text())

    return run


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a call that must fail: exit 2 and one line, which comes back."""

    def run(*arguments: object) -> str:
        assert call(monkeypatch, "evaluate", *arguments) == 2
        captured = capsys.readouterr()
        lines = [line for line in captured.err.splitlines() if line.startswith("portraiture:")]
        assert len(lines) == 1, captured.err
        assert captured.out == ""
        assert "expected" in lines[0]
        assert "found" in lines[0]
        return lines[0]

    return run


def table(output: str) -> dict[str, list[str]]:
    """Cells by method of a Markdown table; ``method`` holds the titles."""
    lines = [line for line in output.splitlines() if line.startswith("|")]
    assert set(lines[1]) <= set("| -:")
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[:1] + lines[2:]]
    assert {len(c) for c in cells} == {len(cells[0])}
    return {c[0]: c[1:] for c in cells}


# ---------------------------------------------------------------- depth


def test_depth_on_people(evaluate: Run, people: Path) -> None:
    output, found = evaluate("depth", "--dataset", "folder", "--root", people)
    assert found["photos"] == 6
    assert 0.7 < found["person_rank"] < 1
    assert found["person_rank_coarse"] == pytest.approx(1 - found["person_rank"], abs=1e-3)  # coarse depth is reversed
    assert found["body_spread_coarse"] == pytest.approx(found["body_spread"], abs=1e-3)
    assert f"body_std               {found['body_std']:.4f}" in output


def test_a_folder_with_depths_is_judged_by_pairs(evaluate: Run, people: Path) -> None:
    for k in range(6):
        write(people / f"depths/p{k}.png", photo(person())[..., 1])
    _, found = evaluate("depth", "--dataset", "folder", "--root", people)
    assert (found["whdr"], found["whdr_coarse"]) == (0, 1)
    assert "body_spread" not in found


def test_a_folder_of_pairs_of_points_is_judged_by_them(
    evaluate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ramp = np.zeros((H, W, 3), np.uint8)
    ramp[..., 1] = 5 * np.arange(W)  # what the fake network takes for depth grows to the right
    for k in range(4):
        write(tmp_path / f"diw/train/{k}.png", ramp)
    # 1: A, on the left, is nearer; 2 and 3 as well; 0 says the opposite
    lines = [line for k in range(4) for line in (f"./train/{k}.png", f"31,8,31,40,{'<' if k else '>'},{W},{H}")]
    (tmp_path / "diw/DIW_train.csv").write_text("\n".join(lines) + "\n")
    _, found = evaluate("depth", "--dataset", "folder", "--root", tmp_path / "diw")
    assert found["whdr"] == pytest.approx(0.25)


def test_a_folder_without_labels_is_refused(refused: Callable[..., str], people: Path) -> None:
    (people / "masks").rename(people / "other")
    message = refused("depth", "--dataset", "folder", "--root", people)
    assert "depths" in message
    assert "masks" in message


# ---------------------------------------------------------------- parts


def test_of_hair_what_is_found_is_measured(evaluate: Run, refused: Callable[..., str], people: Path) -> None:
    (people / "masks").rename(people / "hair")
    output, found = evaluate("segmentation", "--dataset", "folder", "--root", people)
    # the truth of photo k lies k of 20 columns beside what the photo shows
    assert found["found"] == pytest.approx(np.mean([1 - k / 20 for k in range(6)]))
    assert (found["photos"], found["photos_below_half"]) == (6, 0)
    assert "mean_iou" not in found
    assert f"found                  {found['found']:.4f}" in output
    for asked in (("ground",), ("depth",), ("segmentation", "--worst", 2)):
        assert "found hair/ alone" in refused(asked[0], "--dataset", "folder", "--root", people, *asked[1:])


# ---------------------------------------------------------------- refine


def test_an_apps_coarse_masks_are_refined(evaluate: Run, people: Path) -> None:
    output, found = evaluate("refine", "--dataset", "folder", "--root", people)
    _, plain = evaluate("segmentation", "--dataset", "folder", "--root", people)
    assert found["mean_iou"] == pytest.approx(plain["mean_iou"])  # what comes back is the photo's own mask
    assert found["mean_iou_coarse"] < 0.95
    assert f"mean_iou_coarse        {found['mean_iou_coarse']:.4f}" in output


def test_refine_has_no_table_and_no_network_of_ones_own(refused: Callable[..., str], people: Path) -> None:
    asked = ("refine", "--dataset", "folder", "--root", people)
    assert "both figures are there anyway" in refused(*asked, "--compare")
    assert "--network" in refused(*asked, "--network", "module:build")


# ---------------------------------------------------------------- nobody


def test_bsds500_leaves_people_out_and_holds_out_the_last(
    evaluate: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with_people = sorted(WITH_PEOPLE)[:3]
    for name in [f"{k:02d}" for k in range(20)]:
        write(tmp_path / f"bsds/{name}.jpg", photo(person() if int(name) >= 19 else np.zeros((H, W), bool)))
    for name in with_people:
        write(tmp_path / f"bsds/{name}.jpg", photo(person()))
    output, found = evaluate("segmentation", "--dataset", "bsds500", "--root", tmp_path / "bsds")
    assert found["photos"] == 20
    assert found["photos_above_2_percent"] == found["photos_above_2_percent_coarse"] == 1
    assert found["false_area"] == pytest.approx(person().mean() / 20, abs=2e-3)
    assert "false_area" in output
    held_out = tmp_path / "held_out.json"
    arguments = ("segmentation", "--dataset", "bsds500", "--root", tmp_path / "bsds", "--json", held_out)
    assert call(monkeypatch, "evaluate", *arguments) == 0
    assert json.loads(held_out.read_text())["photos"] == 3
    assert json.loads(held_out.read_text())["photos_above_2_percent"] == 1


@pytest.mark.parametrize("made", [False, True])
def test_bsds500_without_photos_is_refused(refused: Callable[..., str], tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "bsds").mkdir()
    assert "bsds500" in refused("segmentation", "--dataset", "bsds500", "--root", tmp_path / "bsds")


# ---------------------------------------------------------------- side by side


@pytest.mark.usefixtures("small_networks")
def test_segmentation_side_by_side(evaluate: Run, people: Path, tmp_path: Path) -> None:
    plain = save(tmp_path / "a.safetensors", MobilePerception())
    first = save(tmp_path / "b.safetensors", MobileCoarse())
    weights = ("--weights", f"ours={plain}", "--weights", f"coarse only={first}")
    output, found = evaluate(
        "segmentation", "--dataset", "folder", "--root", people, "--compare", "--limit", 3, *weights
    )
    cells = table(output)
    names = ["graph cut", "coarse", "refined", "ours", "coarse only"]
    assert list(cells) == ["method", *names]
    assert cells["method"] == ["photos", "mean IoU %", "IoU of the set %", "boundary F at 2 px %"]
    assert [row["method"] for row in found["rows"]] == names
    for row in found["rows"]:
        assert cells[row["method"]] == [
            "3",
            *(f"{100 * row[k]:.2f}" for k in ("mean_iou", "set_iou", "boundary_f_2px")),
        ]
    _, alone = evaluate("segmentation", "--dataset", "folder", "--root", people, "--limit", 3)
    by_name = {row["method"]: row for row in found["rows"]}
    for key in ("mean_iou", "set_iou", "boundary_f_2px"):
        assert (by_name["refined"][key], by_name["coarse"][key]) == (alone[key], alone[f"{key}_coarse"])
    assert by_name["refined"]["mean_iou"] != by_name["coarse"]["mean_iou"]


@pytest.mark.usefixtures("small_networks")
def test_depth_side_by_side(evaluate: Run, people: Path, tmp_path: Path) -> None:
    weights = ("--weights", f"ours={save(tmp_path / 'a.safetensors', MobilePerception())}")
    output, found = evaluate("depth", "--dataset", "folder", "--root", people, "--compare", *weights)
    cells = table(output)
    assert list(cells) == ["method", "coarse", "refined", "ours"]
    assert cells["method"] == ["photos", "passed over", "body spread", "body std", "person rank %"]
    assert cells["refined"][-1] == f"{100 * found['rows'][1]['person_rank']:.2f}"


def test_the_ground_by_photo_and_side_by_side(evaluate: Run, tmp_path: Path) -> None:
    for k, ground in enumerate((30, 240)):  # as far as the feet; as far as the wall
        mask = np.zeros((H, W), bool)
        mask[8:54, 18:30] = True
        rgb = photo(mask)
        rgb[..., 1] = np.where(mask, 30, 240)
        rgb[40:, :, 1][~mask[40:]] = ground
        rgb[58:, :, 1] = 10 if k == 0 else 240
        write(tmp_path / f"stand/images/p{k}.png", rgb)
        write(tmp_path / f"stand/masks/p{k}.png", mask.astype(np.uint8) * 255)
    chosen = ("ground", "--dataset", "folder", "--root", tmp_path / "stand")
    out, figures = evaluate(*chosen)
    assert figures["photos"] == 2
    assert figures["rim_nearer"] == 0.5
    assert figures["contact_median"] == pytest.approx(0.5, abs=0.02)
    assert "photo p0               contact 0.000, lower rim nearer" in out
    assert "photo p1               contact 1.000, lower rim not nearer" in out
    table, rows = evaluate(*chosen, "--compare")
    assert [row["method"] for row in rows["rows"]] == ["refined"]
    assert "| refined | 2 | 0 | 0.500 | 50.0 |" in table


def test_nobody_side_by_side_has_no_graph_cut(evaluate: Run, tmp_path: Path) -> None:
    write(tmp_path / "bsds/a.jpg", photo(np.zeros((H, W), bool)))
    output, _ = evaluate("segmentation", "--dataset", "bsds500", "--root", tmp_path / "bsds", "--compare")
    assert list(table(output)) == ["method", "coarse", "refined"]
    assert table(output)["method"] == ["photos", "false area %", "photos above 2 %"]


def test_filters_side_by_side(evaluate: Run, people: Path, tmp_path: Path) -> None:
    weights = ("--weights", f"new={save(tmp_path / 'f.safetensors', RnnFilter())}")
    output, _ = evaluate("filter", "--dataset", "folder", "--root", people, "--compare", "--limit", 2, *weights)
    cells = table(output)
    assert list(cells) == ["method", "RNN filter", "new"]
    assert cells["method"] == ["photos", "PSNR dB", "SSIM"]
    assert cells["RNN filter"] != cells["new"]


def test_masks_of_another_program_side_by_side(evaluate: Run, refused: Callable[..., str], people: Path,
                                              tmp_path: Path) -> None:  # fmt: skip
    for k in range(6):
        write(people / f"images/p{k}.png", photo(person(k)))  # each photo its own
        write(tmp_path / f"theirs/p{k}.png", person(k).astype(np.uint8) * 255)
    chosen = ("segmentation", "--dataset", "folder", "--root", people, "--compare")
    _, found = evaluate(*chosen, "--weights", f"theirs={tmp_path / 'theirs'}")
    theirs = next(row for row in found["rows"] if row["method"] == "theirs")
    assert (theirs["photos"], theirs["mean_iou"]) == (6, 1.0)
    (tmp_path / "theirs/p3.png").unlink()
    said = refused(*chosen, "--split", "all", "--weights", f"theirs={tmp_path / 'theirs'}")
    assert "theirs: expected p3.png, found none; write a mask for every photo" in said


def test_portraits_against_the_reference_by_mode(evaluate: Run, tmp_path: Path, fake_pipeline: Pipeline) -> None:
    whole_body = person()
    whole_body[-8:] = False
    decibels = []
    for name, mask in (("selfie", person()), ("standing", whole_body)):
        rgb = photo(mask)
        rgb[..., 2] = np.random.default_rng(0).integers(0, 256, (H, W))
        write(tmp_path / f"both/images/{name}.png", rgb)
        write(tmp_path / f"both/masks/{name}.png", mask.astype(np.uint8) * 255)
        maps = fake_pipeline.perceive(rgb)  # its filter gives the photo back
        reference = render(rgb, maps.mask, maps.depth, RenderSettings(mode=Mode(name.replace("standing", "full-body"))))
        decibels.append(psnr_db(rgb / 255, np.rint(reference * 255) / 255))
    output, found = evaluate("filter", "--dataset", "folder", "--root", tmp_path / "both")
    assert (found["photos"], found["photos_selfie"], found["photos_full_body"]) == (2, 1, 1)
    assert [found["psnr_db_selfie"], found["psnr_db_full_body"]] == pytest.approx(decibels, abs=1e-3)
    assert found["psnr_db"] == pytest.approx(np.mean(decibels), abs=1e-3)
    assert found["least_psnr_db"] == pytest.approx(min(decibels), abs=1e-3)
    assert f"least_psnr_db          {found['least_psnr_db']:.4f}" in output


def test_a_weights_row_computes_what_the_pipeline_computes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", MobilePerception())
    pipeline = Pipeline(Networks(Checkpoints(perception=path)).runner, SIZES)
    rgb = np.random.default_rng(0).integers(0, 256, (150, 200, 3)).astype(np.uint8)
    fine, coarse = pipeline.perceive(rgb), pipeline.perceive(rgb, "coarse")
    maps = networks.open_weights(networks.Weights("a", path), networks.NETWORKS)(rgb)
    for found, expected in (
        (maps.mask, fine.mask),
        (maps.depth, fine.depth),
        (maps.coarse_mask, coarse.mask),
        (maps.coarse_depth, coarse.depth),
    ):
        assert found is not None
        np.testing.assert_allclose(found, expected, atol=1e-6)
    filter_path = save(tmp_path / "f.safetensors", RnnFilter())
    open_filter = Pipeline(Networks(Checkpoints(filter=filter_path)).runner, SIZES)
    drawn = networks.open_weights(networks.Weights("f", filter_path), networks.FILTERS)(fine, 0.016)
    np.testing.assert_allclose(drawn, open_filter.filter(fine, 0.016), atol=1e-6)


@pytest.mark.parametrize("network", [Fcn, PfcnPlus])
def test_a_baseline_runs_at_the_size_it_was_trained_at(network: type[Fcn], tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = network().eval()
    path = save(tmp_path / "a.safetensors", model, size=[96, 64])
    rgb = np.random.default_rng(0).integers(0, 256, (96, 64, 3)).astype(np.uint8)
    maps = networks.open_weights(networks.Weights("a", path), networks.NETWORKS)(rgb)
    with torch.no_grad():
        expected = torch.sigmoid(model(torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255))
    assert maps.mask is not None
    np.testing.assert_allclose(maps.mask, expected[0, 0].numpy(), atol=1e-6)
    assert maps.depth is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["a"], "NAME=FILE"),
        (["=x"], "NAME=FILE"),
        (["a="], "NAME=FILE"),
        (["refined=x"], "differ from"),
        (["a=x", "a=y"], "'a' again"),
        (["a|b=x"], "without '|'"),
    ],
)
def test_malformed_weights_are_refused(options: Sequence[str], said: str) -> None:
    with pytest.raises(OptionError) as error:
        networks.parse_weights(options, ("refined",))
    assert said in str(error.value)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    rnn = save(tmp_path / "f.safetensors", RnnFilter())
    for path, said in ((rnn, "found RnnFilter"), (tmp_path / "none.safetensors", "found none")):
        with pytest.raises(InputError, match=said):
            networks.open_weights(networks.Weights("a", path), networks.NETWORKS)
    save_tensors(tmp_path / "nameless.safetensors", {"x": torch.zeros(1)}, {})
    with pytest.raises(InputError, match=r"expected a file of RnnFilter or .*, found no network of ours"):
        networks.open_weights(networks.Weights("a", tmp_path / "nameless.safetensors"), networks.FILTERS)
    save_tensors(tmp_path / "wrong.safetensors", {"x": torch.zeros(1)}, {"model": "MobileCoarse"})
    with pytest.raises(InputError, match="expected the weights of MobileCoarse"):
        networks.open_weights(networks.Weights("a", tmp_path / "wrong.safetensors"), networks.NETWORKS)


def test_a_network_without_depth_is_named(refused: Callable[..., str], people: Path, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def masks_only(checkpoint: object, which: object) -> networks.Predict:
        return networks.on_photos(lambda rgb: networks.NetworkMaps(mask=rgb[:, :1]), (Size(64, 64),))

    monkeypatch.setitem(networks.NETWORKS, "Fcn", masks_only)
    save_tensors(tmp_path / "fcn.safetensors", {"x": torch.zeros(1)}, {"model": "Fcn"})
    weights = ("--compare", "--weights", f"FCN={tmp_path / 'fcn.safetensors'}", "--split", "all")
    message = refused("depth", "--dataset", "folder", "--root", people, *weights)
    assert "--weights FCN: evaluate: expected a predictor of depth" in message


# ---------------------------------------------------------------- the worst photos


def test_the_worst_photos_are_listed_and_shown(evaluate: Run, people: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    arguments = ("segmentation", "--dataset", "folder", "--root", people, "--worst", 2, "--sheet", sheet)
    output, found = evaluate(*arguments)
    assert [place["id"] for place in found["worst"]] == ["p5", "p4"]
    assert found["worst"][0]["iou"] == pytest.approx(15 / 25, abs=0.01)
    assert f"worst p5               {found['worst'][0]['iou']:.4f}" in output
    assert [p.name for p in sheet.parent.iterdir()] == ["sheet.png"]
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[0] == 2 * ROW_PX == 400
    width = round(W * ROW_PX / H)
    truth, mask = picture[:ROW_PX, width + 4 : 2 * width + 4], picture[:ROW_PX, 2 * width + 8 : 3 * width + 8]
    assert (truth[100, 100] == 255).all()
    assert (mask[100, 100] == 250).all()
    assert (truth[100, round(16 * ROW_PX / H)] == 0).all()  # beside the truth, on the person of the photo
    assert (mask[100, round(16 * ROW_PX / H)] == 250).all()


def test_more_worst_than_photos_are_all_of_them(evaluate: Run, people: Path) -> None:
    _, found = evaluate("segmentation", "--dataset", "folder", "--root", people, "--worst", 99)
    assert len(found["worst"]) == 6


# ---------------------------------------------------------------- what does not go together


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("segmentation", "--dataset", "nyu"), "baidu"),
        (("depth", "--dataset", "bsds500"), "shen2016"),
        (("filter", "--dataset", "bsds500"), "folder"),
        (("segmentation", "--dataset", "ccp"), "--root"),
        (("segmentation", "--dataset", "ccp", "--weights", "a=b"), "--compare"),
        (("render", "--dataset", "simulated", "--compare"), "--compare"),
        (("segmentation", "--dataset", "ccp", "--compare", "--method", "graph-cut"), "--method"),
        (("segmentation", "--dataset", "bsds500", "--method", "graph-cut"), "--method"),
        (("depth", "--dataset", "ccp", "--worst", "3"), "--worst"),
        (("segmentation", "--dataset", "bsds500", "--worst", "3"), "--worst"),
        (("segmentation", "--dataset", "ccp", "--compare", "--worst", "3"), "--worst"),
        (("segmentation", "--dataset", "ccp", "--sheet", "s.png"), "--worst"),
        (("segmentation", "--dataset", "baidu", "--root", "nowhere", "--compare"), "nowhere"),
        (("depth", "--dataset", "folder", "--root", "nowhere"), "nowhere"),
    ],
)
def test_conflicting_options_are_refused(refused: Callable[..., str], arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)
