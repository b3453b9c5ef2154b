"""Tiny models as MONAI and nnU-Net write them, imported, and then served by the worker."""

import json

import numpy as np
import pytest
import torch
import yaml
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from monai.networks.nets.unet import UNet
from torch import nn
from typer.testing import CliRunner

from imaging.geometry import Geometry
from imaging.model import ModelInput
from training.cli import app
from training.errors import TrainingError
from training.importing.axes import Axes
from training.importing.command import import_model
from workers.inference.repository import load_known_answer
from workers.inference.torchscript import TorchScriptModel

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"
)
FIXED = {"quantity": "adc_um2_s", "normalisation": "fixed", "scale": 1000.0, "clip": 3.5}
CLASSES = {"background": "background", "L1": "lumbar_spine", "L2": "lumbar_spine", "fat": "ignore"}
THEIRS = ["background", "L1", "L2", "fat"]
ARCHITECTURE = {
    "n_stages": 3,
    "features_per_stage": [4, 6, 8],
    "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    "n_conv_per_stage": [2, 2, 2],
    "n_conv_per_stage_decoder": [2, 2],
    "conv_bias": True,
    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
    "dropout_op": None,
    "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU",
    "nonlin_kwargs": {"inplace": True},
}
BUILT = {
    **ARCHITECTURE,
    "conv_op": nn.Conv3d,
    "norm_op": nn.InstanceNorm3d,
    "nonlin": nn.LeakyReLU,
}


def write_plan(folder, **changes):
    values = {"name": "spine", "channels": ["adc_um2_s", "s0"], "classes": CLASSES, **changes}
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def plain_network():
    torch.manual_seed(3)
    return PlainConvUNet(2, num_classes=4, deep_supervision=True, **BUILT)


def write_trained(folder, network=None, architecture=None, **changes):
    """Write what nnUNetv2_train leaves: deep supervision on, numpy numbers in the log."""
    network = network or plain_network()
    (folder / "fold_0").mkdir(parents=True)
    labels = {name: number for number, name in enumerate(THEIRS)}
    channels = {"0": "ADC", "1": "S0"}
    dataset = {"channel_names": channels, "labels": labels, "file_ending": ".nii.gz"}
    described = architecture or {
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": ARCHITECTURE,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        }
    }
    whole = {
        "spacing": [2.0, 6.0, 3.0],
        "normalization_schemes": ["ZScoreNormalization"] * 2,
        "use_mask_for_norm": [False, False],
        **described,
        **changes,
    }
    plans = {
        "dataset_name": "Dataset001_Spine",
        "transpose_forward": [1, 0, 2],
        "transpose_backward": [1, 0, 2],
        "configurations": {"base": whole, "3d_fullres": {"inherits_from": "base"}},
    }
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text(json.dumps(plans))
    checkpoint = {
        "network_weights": {f"_orig_mod.{k}": v for k, v in network.state_dict().items()},
        "logging": {"mean_fg_dice": [np.float64(0.5), np.float32(0.25)]},
        "_best_ema": np.float64(0.7),
        "init_args": {"configuration": "3d_fullres", "fold": 0},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")
    return folder


def served(folder, shape, seed=0):
    """The worker's own answer on its own grid, and what it was asked."""
    model = TorchScriptModel(folder, threads=1)
    rng = np.random.default_rng(seed)
    array = rng.random((len(model.spec.channels), *shape), dtype=np.float32)
    given = ModelInput(array, Geometry.axial(shape, model.spec.spacing_mm, (0, 0, 0)))
    return model, array, model.predict(given, lambda _: None).astype(np.float32)


def summed(probability):
    """Background and fat; L1 and L2."""
    return np.stack([probability[0] + probability[3], probability[1] + probability[2]])


def test_a_trained_folder_of_nnunet_answers_as_nnunet_would(tmp_path):
    network = plain_network()
    source = write_trained(tmp_path / "trained", network)
    done = import_model(source, write_plan(tmp_path), tmp_path / "models", replace=False)
    assert done.classes == ("background", "lumbar_spine")
    model, array, answer = served(done.folder, (8, 4, 12))
    assert load_known_answer(done.folder, 1) is not None
    spec = model.spec
    # transpose_forward [1, 0, 2]: their first axis is the rows.
    assert spec.spacing_mm == (6.0, 2.0, 3.0)
    assert spec.divisor == (4, 2, 4)
    assert [c.normalisation for c in spec.channels] == ["zscore", "zscore"]
    network.decoder.deep_supervision = False
    with torch.no_grad():
        theirs = network.eval()(torch.from_numpy(array.transpose(0, 2, 1, 3).copy())[None])
        probability = torch.softmax(theirs, 1)[0].numpy().transpose(0, 2, 1, 3)
    np.testing.assert_allclose(answer, summed(probability), atol=0.02)
    assert answer[1].std() > 0.001
    card = (done.folder / "MODEL_CARD.md").read_text()
    assert "not evaluated by the Osteon project" in card
    assert "- L2: lumbar_spine\n- fat: background" in card
    assert 'name: "spine"' in (done.folder / "config.pbtxt").read_text()


def test_plans_before_2_4_and_residual_encoders_are_built_too(tmp_path):
    old = {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 4,
        "unet_max_num_features": 6,
        "conv_kernel_sizes": ARCHITECTURE["kernel_sizes"],
        "pool_op_kernel_sizes": ARCHITECTURE["strides"],
        "n_conv_per_stage_encoder": [2, 2, 2],
        "n_conv_per_stage_decoder": [2, 2],
    }
    network = PlainConvUNet(2, num_classes=4, **{**BUILT, "features_per_stage": [4, 6, 6]})
    source = write_trained(tmp_path / "old", network, old)
    import_model(source, write_plan(tmp_path), tmp_path / "models", replace=False)
    blocks = {k: v for k, v in ARCHITECTURE.items() if k != "n_conv_per_stage"}
    built = {k: v for k, v in BUILT.items() if k != "n_conv_per_stage"}
    residual = ResidualEncoderUNet(2, num_classes=4, n_blocks_per_stage=[1, 1, 1], **built)
    described = {
        "architecture": {
            "network_class_name": "x.ResidualEncoderUNet",
            "arch_kwargs": {**blocks, "n_blocks_per_stage": [1, 1, 1]},
        }
    }
    source = write_trained(tmp_path / "new", residual, described)
    with pytest.raises(TrainingError, match="is there already"):
        import_model(source, write_plan(tmp_path), tmp_path / "models", replace=False)
    done = import_model(source, write_plan(tmp_path), tmp_path / "models", replace=True)
    TorchScriptModel(done.folder, threads=1)


def metadata(n_channels=1, classes=THEIRS):
    image = {"num_channels": n_channels, "spatial_shape": ["4*n", "4*n", "4*n"]}
    pred = {
        "num_channels": len(classes),
        "channel_def": {str(n): name for n, name in enumerate(classes)},
    }
    formats = {"inputs": {"image": image}, "outputs": {"pred": pred}}
    return {"name": "Spine", "version": "0.3.1", "network_data_format": formats}


NETWORK = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": "@classes",
    "channels": [4, 8, 8],
    "strides": [2, 2],
}


def write_bundle(folder, definition=None, **given):
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "configs/metadata.json").write_text(json.dumps(metadata(**given)))
    config = {"classes": 4, "network_def": definition or NETWORK, "device": "$import os"}
    (folder / "configs/inference.json").write_text(json.dumps(config))
    torch.manual_seed(5)
    network = UNet(3, 1, 4, (4, 8, 8), (2, 2))
    torch.save(network.state_dict(), folder / "models/model.pt")
    return folder, network.eval()


BUNDLE = {"channels": [FIXED], "spacing_mm": [2.0, 3.0, 5.0], "axes": "RAS"}


def as_ras(array):
    """(slice up, row back, column left) → (right, front, up)."""
    return np.ascontiguousarray(array.transpose(0, 3, 2, 1)[:, ::-1, ::-1])


def test_a_bundle_of_definition_and_weights_is_served_along_its_own_axes(tmp_path):
    source, network = write_bundle(tmp_path / "bundle")
    plan = write_plan(tmp_path, **BUNDLE)
    done = import_model(source, plan, tmp_path / "models", replace=False)
    model, array, answer = served(done.folder, (8, 12, 4))
    assert model.spec.spacing_mm == (5.0, 3.0, 2.0)
    assert model.spec.version == "0.3.1"
    with torch.no_grad():
        probability = torch.softmax(network(torch.from_numpy(as_ras(array))[None]), 1)[0].numpy()
    back = probability[:, ::-1, ::-1].transpose(0, 3, 2, 1)
    np.testing.assert_allclose(answer, summed(back), atol=0.02)
    assert answer[1].std() > 0.001


def test_a_scripted_bundle_with_softmax_inside_is_served(tmp_path):
    source, network = write_bundle(tmp_path / "bundle")
    scripted = nn.Sequential(network, nn.Softmax(1)).eval()
    torch.jit.trace(scripted, torch.zeros(1, 1, 4, 8, 4)).save(str(source / "models/model.ts"))
    plan = write_plan(tmp_path, **BUNDLE, activation="none")
    done = import_model(source, plan, tmp_path / "models", replace=False)
    _, array, answer = served(done.folder, (8, 4, 4))
    with torch.no_grad():
        probability = scripted(torch.from_numpy(as_ras(array))[None])[0].numpy()
    back = probability[:, ::-1, ::-1].transpose(0, 3, 2, 1)
    np.testing.assert_allclose(answer, summed(back), atol=0.02)


@pytest.mark.parametrize(
    ("definition", "plan", "given", "said"),
    [
        ({**NETWORK, "act": "$__import__('os').system('false')"}, {}, {}, "holds a program"),
        ({**NETWORK, "norm": {"_target_": "os.system"}}, {}, {}, "holds a program"),
        ({"_target_": "os.system", "command": "false"}, {}, {}, "not one of MONAI's networks"),
        ({**NETWORK, "channels": [4, 8, 16]}, {}, {}, "weights cannot be loaded"),
        (None, {"channels": [FIXED, FIXED]}, {}, "takes 1 channels"),
        (None, {"spacing_mm": None}, {}, "give spacing_mm"),
        (None, {"axes": "RAR"}, {}, "three directions"),
        (None, {"classes": {**CLASSES, "L2": "backbone"}}, {}, "'backbone'"),
        (None, {"classes": {"L1": "lumbar_spine"}}, {}, r"class 2 \(L2\) of the model is not"),
        (None, {}, {"classes": THEIRS[:3]}, "does not answer 3 classes"),
        (None, {"activation": "none"}, {}, "no probabilities"),
        (None, {"divisor": [1, 1, 1]}, {}, "does not take 1 channels on slabs"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_repository_stays(
    tmp_path, definition, plan, given, said
):
    source, _ = write_bundle(tmp_path / "bundle", definition, **given)
    values = {k: v for k, v in {**BUNDLE, **plan}.items() if v is not None}
    with pytest.raises(TrainingError, match=said) as caught:
        import_model(source, write_plan(tmp_path, **values), tmp_path / "models", replace=False)
    assert caught.value.code == "IMPORT"
    assert not list((tmp_path / "models").glob("*"))


@pytest.mark.parametrize(
    ("changes", "plan", "said"),
    [
        ({"normalization_schemes": ["CTNormalization"] * 2}, {}, "by CTNormalization"),
        ({}, {"channels": ["adc_um2_s"]}, r"takes 2 channels \(ADC, S0\), the file names 1"),
        ({}, {"configuration": "2d"}, "'2d'"),
        ({}, {"fold": 3}, "fold_3"),
        ({"architecture": {"network_class_name": "a.Net", "arch_kwargs": {}}}, {}, "Net"),
    ],
)
def test_a_trained_folder_that_cannot_be_served_says_why(tmp_path, changes, plan, said):
    source = write_trained(tmp_path / "trained", **changes)
    with pytest.raises(TrainingError, match=said):
        import_model(source, write_plan(tmp_path, **plan), tmp_path / "models", replace=False)


def test_the_command_imports_and_a_folder_of_neither_kind_is_refused(tmp_path):
    source, _ = write_bundle(tmp_path / "bundle")
    plan = write_plan(tmp_path, **BUNDLE)
    given = ["--map", str(plan), "--repository", str(tmp_path / "models")]
    result = CliRunner().invoke(app, ["import-model", str(source), *given])
    assert result.exit_code == 0, result.output
    assert "MONAI bundle" in result.output
    assert "not evaluated" in result.output
    with pytest.raises(TrainingError, match="neither a MONAI bundle"):
        import_model(tmp_path, plan, tmp_path / "other", replace=False)


def test_axes_sort_values_and_name_what_runs_against_ours():
    ras = Axes("RAS")
    assert ras.to_ours((1.0, 2.0, 3.0)) == (3.0, 2.0, 1.0)
    assert ras.flipped == (0, 1)
    assert Axes("SPL").flipped == ()
