"""Networks filled from files as teams have them, and what is said of files that do not fit."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from portraiture.reference.errors import InputError, OptionError
from portraiture.training.checkpoints.fill import fill, take, warm_start
from portraiture.training.checkpoints.read import Checkpoint, Which, read_checkpoint
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.spn import PaperSpn
from portraiture.training.tensor_files import save_tensors
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION, load_any_filter, load_filter

State = dict[str, Tensor]


def small(seed: int = 0, outputs: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, outputs, 3), nn.BatchNorm2d(outputs), nn.Sequential(nn.Conv2d(outputs, 1, 1)))


def checkpoint(tensors: State, metadata: dict[str, object] | None = None) -> Checkpoint:
    return Checkpoint(Path("team.pth"), tensors, metadata or {})


def named(state: State, start: str) -> State:
    return {start + name: value for name, value in state.items()}


def holds(model: nn.Module, state: State) -> bool:
    return all(torch.equal(model.state_dict()[name], value) for name, value in state.items())


@pytest.mark.parametrize(
    "start",
    ["", "module.", "_orig_mod.", "model.", "net.", "state_dict.", "state_dict.model.module.", "model._orig_mod.",
     "module._orig_mod.", "_forward_module.", "params.", "network.generator.", "ema."],
)  # fmt: skip
def test_whatever_stands_before_the_names_is_taken_off(start: str) -> None:
    state, model = small(1).state_dict(), small(2)
    taken = fill(model, checkpoint(named(state, start)))
    assert holds(model, state)
    assert taken.averaged is (True if start == "ema." else None)


def test_wrappers_within_names_are_taken_off() -> None:
    state, model = small(1).state_dict(), small(2)
    wrapped = {n.replace("2.0.", "2._orig_mod.0.").replace("0.w", "0.module.w", 1): v for n, v in state.items()}
    assert wrapped.keys() != state.keys()
    fill(model, checkpoint(wrapped))
    assert holds(model, state)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what torch.compile imports
def test_what_torch_itself_wraps() -> None:
    inner = small(1)
    for wrapped in (torch.compile(inner), nn.DataParallel(inner), torch.compile(nn.DataParallel(inner))):
        model = small(2)
        fill(model, checkpoint(dict(wrapped.state_dict())))
        assert holds(model, inner.state_dict())


def test_the_rest_of_a_lightning_module_is_passed_over() -> None:
    state, model = small(1).state_dict(), small(2)
    file = {
        **named(state, "state_dict.model."),
        "state_dict.loss.weight": torch.ones(2),
        "state_dict.iou.sum": torch.ones(1),
    }
    fill(model, checkpoint(file))
    assert holds(model, state)


def test_counters_of_batches_may_be_missing_and_nothing_else() -> None:
    state, model = small(1).state_dict(), small(2)
    counters = [n for n in state if n.endswith("num_batches_tracked")]
    assert len(counters) == 1
    fill(model, checkpoint({n: v for n, v in state.items() if n not in counters}))
    assert model.state_dict()[counters[0]] == 0
    for name in state.keys() - set(counters):
        with pytest.raises(InputError, match=rf"1 missing \({name.replace('.', chr(92) + '.')}\)"):
            take(model, checkpoint({n: v for n, v in state.items() if n != name}))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_every_floating_type_is_read(kind: torch.dtype) -> None:
    state, model = small(1).state_dict(), small(2)
    fill(model, checkpoint({n: v.to(kind) for n, v in state.items()}))  # the counters too, as model.half() leaves them
    for name, value in model.state_dict().items():
        assert value.dtype == state[name].dtype
        assert torch.equal(value, state[name].to(kind).to(value.dtype))


def raw_and_average(start: str, average: str) -> tuple[State, State, State]:
    raw, averaged = small(1).state_dict(), small(2).state_dict()
    return {**named(raw, start), **named(averaged, average)}, raw, averaged


@pytest.mark.parametrize(
    ("start", "average"),
    [("", "ema."), ("state_dict.", "state_dict_ema."), ("model.", "model_ema."), ("online_model.", "ema_model."),
     ("params.", "params_ema."), ("state_dict.model.", "state_dict.ema_model.module."), ("", "swa."),
     ("model.", "model.ema.")],
)  # fmt: skip
def test_of_both_the_average_is_taken_or_what_is_asked_for_and_it_is_said(start: str, average: str) -> None:
    tensors, raw, averaged = raw_and_average(start, average)
    model = small(3)
    said = str(fill(model, checkpoint(tensors)))
    assert holds(model, averaged)
    assert said.startswith("averaged (EMA) weights")
    assert said.endswith("(--which raw takes the others)")
    said = str(fill(model, checkpoint(tensors), Which.RAW))
    assert holds(model, raw)
    assert said.startswith("raw weights")
    assert said.endswith("(--which ema takes the others)")
    fill(model, checkpoint(tensors), Which.EMA)
    assert holds(model, averaged)


def test_torchs_averaged_model_is_an_average() -> None:
    model = small(1)
    average = AveragedModel(copy.deepcopy(model))
    average.update_parameters(model)
    file = {**named(model.state_dict(), "model."), **named(dict(average.state_dict()), "averager.")}
    assert "averager.n_averaged" in file
    assert take(small(), checkpoint(file)).averaged
    assert take(small(), checkpoint(dict(average.state_dict()))).averaged


@pytest.mark.parametrize("beside", [True, False])
def test_an_average_that_has_not_begun_is_passed_over(beside: bool) -> None:
    raw, first = small(1), small(2)
    average = {f"swa.{n}": v for n, v in AveragedModel(first).state_dict().items()}
    if beside:
        taken = take(small(), checkpoint({**named(raw.state_dict(), "state_dict."), **average}))
        assert all(torch.equal(v, raw.state_dict()[n]) for n, v in taken.tensors.items())
        assert str(taken).endswith("an average (swa.averaged.) that has not begun, which is passed over")
        return
    with pytest.raises(InputError, match="its average has not begun"):
        take(small(), checkpoint(average))


def test_an_average_of_parameters_takes_the_buffers_of_the_raw_weights() -> None:
    raw, averaged = small(1), small(2)
    raw[1].running_mean.fill_(3)  # type: ignore[operator, union-attr]
    file = {**named(raw.state_dict(), "state_dict."), **named(dict(averaged.named_parameters()), "ema.")}
    model = small(3)
    assert fill(model, checkpoint({n: v.detach() for n, v in file.items()})).averaged
    assert holds(model, {n: v.detach() for n, v in averaged.named_parameters()})
    assert (model.state_dict()["1.running_mean"] == 3).all()


def test_an_average_that_does_not_fit_is_said() -> None:
    raw, averaged, _ = small(1).state_dict(), small(2).state_dict(), None
    del averaged["2.0.bias"]
    file = checkpoint({**raw, **named(averaged, "ema.")})
    assert str(take(small(), file)) == "weights, and an average (ema.) that lacks 1 tensors, which is passed over"
    with pytest.raises(OptionError, match=r"found raw ones alone, and an average \(ema\.\) that lacks 1 tensors"):
        take(small(), file, Which.EMA)


def test_several_sets_that_differ_are_refused() -> None:
    one, other = small(1).state_dict(), small(2).state_dict()
    with pytest.raises(InputError, match=r"found others before 'last\.' and 'best\.'; save the one that is meant"):
        take(small(), checkpoint({**named(one, "last."), **named(other, "best.")}))
    take(small(), checkpoint({**named(one, "last."), **named(one, "best.")}))  # equal ones are one


def test_a_name_that_only_resembles_training_is_a_part_of_the_network() -> None:
    state = {**small(1).state_dict(), "input_scaler.weight": torch.ones(3)}
    with pytest.raises(InputError, match=r"1 unknown \(input_scaler\.weight\)"):
        take(small(), checkpoint(state))


def test_weights_that_are_not_there_are_told() -> None:
    tensors, raw, averaged = raw_and_average("", "ema.")
    del tensors
    with pytest.raises(OptionError, match=r"--which ema: expected such weights in team\.pth, found raw ones alone"):
        take(small(), checkpoint(raw), Which.EMA)
    for state, metadata in ((named(averaged, "ema."), {}), (averaged, {"recipe": "ours, which is an average"})):
        with pytest.raises(OptionError, match=r"--which raw: .* found averaged ones alone"):
            take(small(), checkpoint(state, dict(metadata)), Which.RAW)


def test_the_optimizer_is_no_part_of_the_weights() -> None:
    state, model = small(1).state_dict(), small(2)
    fill(model, checkpoint({**state, "optimizer.0.exp_avg": torch.ones(3), "lr_scheduler.step": torch.ones(1)}))
    assert holds(model, state)


def unknown_one(state: State) -> None:
    state["0.weight_g"] = torch.zeros(1)


def other_shape(state: State) -> None:
    state["0.weight"] = torch.zeros(3, 2, 5, 5)


def missing(state: State) -> None:
    del state["2.0.bias"]


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (unknown_one, r"found others: 1 unknown \(0\.weight_g\); the same network from another release"),
        (other_shape, r"1 of another shape \(0\.weight\); 0\.weight is \(3, 2, 5, 5\), expected \(3, 2, 3, 3\)"),
        (missing, r"1 missing \(2\.0\.bias\); the same network from another release"),
    ],
)
@pytest.mark.parametrize("start", ["", "module."])
def test_another_network_is_told_and_nothing_is_filled(damage: Callable[[State], None], match: str, start: str) -> None:
    state, model = small(1).state_dict(), small(2)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    damage(state)
    if start:
        match = match.replace("(0\\.weight_g)", "(module\\.0\\.weight_g|0\\.weight_g)").replace(
            "\\(0", "\\((module\\.)?0"
        )
    with pytest.raises(InputError, match=match) as error:
        fill(model, checkpoint(named(state, start)))
    assert "\n" not in str(error.value)
    assert holds(model, before)


def test_at_most_five_names_of_each_side_are_listed() -> None:
    state = {f"other.{k}": torch.ones(1) for k in range(9)}
    with pytest.raises(InputError) as error:
        take(MobilePerception(), checkpoint(state))
    text = str(error.value)
    assert "9 unknown (other.0, other.1, other.2, other.3, other.4, ...)" in text
    assert "262 missing (coarse.encoder" in text
    assert text.endswith("train this one with portraiture train")


@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(name: str, value: float) -> None:
    state = {n: v.clone() for n, v in small(1).state_dict().items()}
    state[name].view(-1)[-1] = value
    with pytest.raises(InputError, match=rf"{name} holds NaN or infinity"):
        take(small(), checkpoint(state))


def test_what_float32_cannot_hold_is_refused() -> None:
    state = {n: v.double() for n, v in small(1).state_dict().items()}
    state["0.bias"][0] = 1e300
    with pytest.raises(InputError, match=r"0\.bias holds NaN or infinity"):
        take(small(), checkpoint(state))


def test_integers_are_no_weights() -> None:
    state = {**small(1).state_dict(), "0.weight": torch.ones(3, 2, 3, 3, dtype=torch.int8)}
    with pytest.raises(InputError, match=r"found torch\.int8 in 0\.weight.*before they were quantized"):
        take(small(), checkpoint(state))


@pytest.mark.parametrize(
    ("build", "cause"),
    [
        (PaperSpn, "these are weights of PaperSpn (train segmentation or depth --recipe paper)"),
        (MobileCoarse, "these are weights of MobileCoarse (train coarse)"),
        (RnnFilter, "these are weights of RnnFilter (train filter)"),
    ],
)
def test_weights_of_another_network_of_ours_are_named(build: Callable[[], nn.Module], cause: str) -> None:
    with pytest.raises(InputError) as error:
        take(MobilePerception(), checkpoint(named(dict(build().state_dict()), "module.")))
    assert cause in str(error.value)


@pytest.mark.parametrize(
    ("tensors", "cause"),
    [
        ({"features.0.weight": torch.ones(1), "classifier.1.weight": torch.ones(1)}, "an image classifier"),
        ({"optimizer.state.exp_avg": torch.ones(1)}, "an optimizer's state alone"),
        ({"conv.weight_packed": torch.ones(1)}, "quantized"),
    ],
)
def test_likely_causes(tensors: State, cause: str) -> None:
    with pytest.raises(InputError, match=cause):
        take(MobilePerception(), checkpoint(tensors))


def test_a_coarse_estimator_is_found_in_a_perception_network() -> None:
    whole, coarse = MobilePerception(), MobileCoarse()
    fill(coarse, checkpoint(whole.state_dict()))
    assert holds(coarse, whole.coarse.state_dict())


def test_the_shipped_files_are_averages_of_their_networks() -> None:
    assert take(MobilePerception(), read_checkpoint(SHIPPED_PERCEPTION)).averaged
    assert take(RnnFilter(), read_checkpoint(SHIPPED_FILTER)).averaged


def test_a_filter_is_loaded_from_a_teams_file(tmp_path: Path) -> None:
    shipped = load_filter()
    torch.save({"state_dict": named(shipped.state_dict(), "filter._orig_mod.")}, tmp_path / "team.ckpt")
    for loaded in (load_filter(tmp_path / "team.ckpt"), load_any_filter(tmp_path / "team.ckpt")):
        assert type(loaded) is RnnFilter
        assert not loaded.training
        assert holds(loaded, shipped.state_dict())


def test_a_warm_start_takes_what_fits_and_keeps_the_rest() -> None:
    saved = small(1).state_dict()
    larger = nn.Sequential(*small(2), nn.Conv2d(1, 1, 1))
    kept = larger[3].weight.detach().clone()
    assert warm_start(larger, checkpoint(named(saved, "state_dict.module."))) == ["3.weight", "3.bias"]
    assert all(torch.equal(larger.state_dict()[k], v) for k, v in saved.items())
    assert torch.equal(larger[3].weight, kept)
    assert "0.weight" in warm_start(small(3, outputs=5), checkpoint(saved))
    with pytest.raises(InputError, match=r"team\.pth.*no tensor fits"):
        warm_start(nn.Linear(2, 2), checkpoint(saved))


@pytest.mark.parametrize("value", [torch.ones(3, 2, 3, 3, dtype=torch.int8), torch.full((3, 2, 3, 3), float("nan"))])
def test_a_warm_start_takes_no_integers_and_nothing_that_is_not_finite(value: Tensor) -> None:
    model = small(2)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    with pytest.raises(InputError, match=r"in 0\.weight|0\.weight holds NaN"):
        warm_start(model, checkpoint({**small(1).state_dict(), "0.weight": value}))
    assert holds(model, before)


def test_a_warm_start_takes_a_teams_coarse_estimator_into_perception() -> None:
    coarse, whole = MobileCoarse(), MobilePerception()
    new = warm_start(whole, checkpoint(named(coarse.state_dict(), "state_dict.model.")))
    assert holds(whole.coarse, coarse.state_dict())
    assert not [name for name in new if name.startswith("coarse.")]


def test_a_warm_start_takes_the_average_or_the_raw_weights() -> None:
    tensors, raw, averaged = raw_and_average("", "ema.")
    model = small(3)
    warm_start(model, checkpoint(tensors))
    assert holds(model, averaged)
    warm_start(model, checkpoint(tensors), Which.RAW)
    assert holds(model, raw)


def test_weights_from_before_the_network_looked_twice_give_the_same_maps(tmp_path: Path) -> None:
    from portraiture.training.weights import load_perception

    torch.manual_seed(2)
    model = MobilePerception().eval()
    before = {name: value for name, value in model.state_dict().items() if ".join" not in name}
    save_tensors(tmp_path / "before.safetensors", before, {"model": "MobilePerception"})
    rgb = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(load_perception(tmp_path / "before.safetensors")(rgb).mask, model(rgb).mask)
    del before["coarse.top.0.weight"]
    save_tensors(tmp_path / "less.safetensors", before, {"model": "MobilePerception"})
    with pytest.raises(InputError, match=r"coarse\.top\.0\.weight"):
        load_perception(tmp_path / "less.safetensors")
