"""Records the outputs of real exports, and the detections of their libraries.

    pip install torch torchvision transformers ultralytics onnx onnxruntime
    python tests/plugins/detectors/exported/decoding/record.py <folder for the exports>

None of these is needed by vidan or its tests: `exports/` has what was recorded. The networks are
real, their weights random: what is found means nothing, but all must find the same.
Each file has the outputs of an export for one image of noise, by name, its metadata, and under
`found` what the library's own code makes of them.
"""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import torch

HERE = Path(__file__).parent / "exports"
NAMES = ("red", "green", "blue")
SIZE = (64, 96)


def noise_image(size):
    """(H,W,3) uint8 RGB: noise, each number over 8 x 8 px."""
    small = np.random.default_rng(0).integers(0, 256, (size[0] // 8, size[1] // 8, 3), np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


def tensor(rgb, mean=(0, 0, 0), std=(1, 1, 1)):
    """(3,H,W) float32, 0 to 1, then minus the mean, divided by the deviation."""
    return ((rgb / 255 - np.array(mean)) / np.array(std)).astype(np.float32).transpose(2, 0, 1)


def record(name, library, path, value, found, wanted=None, **options):
    """Run an export and write its outputs with the library's boxes, scores and classes."""
    session = onnxruntime.InferenceSession(str(path))
    image = session.get_inputs()[0]
    outputs = session.run(wanted, {image.name: value})
    names = wanted or [each.name for each in session.get_outputs()]
    boxes, scores, classes = (np.asarray(each) for each in found)
    assert len(boxes) > 2, f"{name}: the library finds {len(boxes)}"
    about = {
        "library": f"{library} {version(library)}",
        "image": image.name,
        "shape": list(value.shape),
        "properties": session.get_modelmeta().custom_metadata_map,
        "options": options,
    }
    HERE.mkdir(exist_ok=True)
    np.savez_compressed(
        HERE / f"{name}.npz",
        about=json.dumps(about),
        found=np.c_[boxes, scores, classes].astype(np.float32),
        **{f"output {name}": array for name, array in zip(names, outputs, strict=True)},
    )
    print(f"{name}: {len(boxes)} found, scores {scores.min():.3f} to {scores.max():.3f}")


def of_torchvision(folder):
    """SSDlite and RetinaNet, whose graphs contain suppression: the outputs are the detections."""
    from torchvision.models import detection

    size = (320, 320)
    value = tensor(noise_image(size))
    few = {"weights": None, "weights_backbone": None, "num_classes": 1 + len(NAMES)}
    for name, model in {
        "ssdlite": detection.ssdlite320_mobilenet_v3_large(detections_per_img=20, **few),
        "retinanet": detection.retinanet_resnet50_fpn(
            min_size=320, max_size=320, detections_per_img=20, score_thresh=0.01, **few
        ),
    }.items():
        images = [torch.from_numpy(value)]
        two = torch.stack([images[0], images[0].flip(-1)])
        if name == "ssdlite":
            settle(model, lambda m, two=two: m.head(list(m.backbone(two).values())))
        model.eval()
        with torch.no_grad():
            found = model(images)[0]
        torch.onnx.export(model, (images,), folder / f"{name}.onnx", opset_version=17, dynamo=False)
        found = found["boxes"], found["scores"], found["labels"] - 1
        record(name, "torchvision", folder / f"{name}.onnx", value, found, threshold=0.0)


def of_transformers(folder):
    """DETR and YOLOS, which end with a softmax, and RT-DETR, its second version and D-FINE."""
    import transformers as t

    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {n: i for i, n in enumerate(NAMES)}}
    small = {"d_model": 32, "num_queries": 20, "decoder_layers": 2, "encoder_ffn_dim": 32}
    small |= {"decoder_ffn_dim": 32, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
    resnet = {"hidden_sizes": [16, 16, 32, 32], "embedding_size": 16, "depths": [1] * 4}
    resnet |= {"layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"]}
    hybrid = small | labels | {"encoder_hidden_dim": 32, "num_denoising": 0}
    hybrid |= {"decoder_in_channels": [32] * 3, "feat_strides": [8, 16, 32]}
    plain = {"backbone_config": t.RTDetrResNetConfig(**resnet), "encoder_in_channels": [16, 32, 32]}
    finer = {"stem_channels": [3, 8, 8], "stage_in_channels": [8, 16, 32, 32]}
    finer |= {"stage_mid_channels": [8, 8, 16, 16], "stage_out_channels": [16, 32, 32, 32]}
    finer |= {"stage_num_blocks": [1] * 4, "stage_numb_of_layers": [1] * 4, "depths": [1] * 4}
    finer |= {"hidden_sizes": [16, 32, 32, 32], "out_features": resnet["out_features"]}
    fine = {"backbone_config": t.HGNetV2Config(**finer), "encoder_in_channels": [32] * 3}
    deep = t.ResNetConfig(**resnet | {"out_features": ["stage4"]})
    timm = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
    vit = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    vit |= {"intermediate_size": 32, "image_size": list(SIZE), "num_detection_tokens": 20}
    detr, rt = t.DetrImageProcessor(), t.RTDetrImageProcessor()
    models = {
        "detr": (
            t.DetrForObjectDetection(
                t.DetrConfig(backbone_config=deep, encoder_layers=1, **small, **labels, **timm)
            ),
            detr,
        ),
        "yolos": (t.YolosForObjectDetection(t.YolosConfig(**vit, **labels)), detr),
        "rt_detr": (t.RTDetrForObjectDetection(t.RTDetrConfig(**plain, **hybrid)), rt),
        "rt_detr_v2": (t.RTDetrV2ForObjectDetection(t.RTDetrV2Config(**plain, **hybrid)), rt),
        "d_fine": (t.DFineForObjectDetection(t.DFineConfig(**fine, **hybrid)), rt),
    }
    for name, (model, processor) in models.items():
        stir(model)
        ends_with_softmax = processor is detr
        mean = processor.image_mean if ends_with_softmax else (0, 0, 0)
        std = processor.image_std if ends_with_softmax else (1, 1, 1)
        value = tensor(noise_image(SIZE), mean, std)[None]
        path = folder / f"{name}.onnx"
        wanted = ["logits", "pred_boxes"]
        torch.onnx.export(
            model.eval(),
            (torch.from_numpy(value),),
            path,
            input_names=["pixel_values"],
            output_names=wanted,
            opset_version=17,
            dynamo=False,
        )
        given = onnxruntime.InferenceSession(str(path)).run(wanted, {"pixel_values": value})
        outputs = SimpleNamespace(**dict(zip(wanted, map(torch.from_numpy, given), strict=True)))
        # A softmax has at most one class above 0.5; of sigmoids the best `num_queries` are used.
        threshold = 0.5 if ends_with_softmax else between(1 / (1 + np.exp(-given[0])))
        (found,) = processor.post_process_object_detection(outputs, threshold, [SIZE])
        found = found["boxes"], found["scores"], found["labels"]
        record(name, "transformers", path, value, found, wanted, threshold=threshold)


def of_ultralytics(folder):
    """Raw heads, heads that need no suppression, NMS in the graph, RT-DETR."""
    from ultralytics import RTDETR, YOLO

    for name, config, nms in (
        ("yolov5u", "yolov5n", None),
        ("yolov8", "yolov8n", None),
        ("yolo11", "yolo11n", None),
        ("yolo11_nms", "yolo11n", True),
        ("yolov10", "yolov10n", None),
        ("yolov10_e2e", "yolov10n", False),
        ("yolo26_e2e", "yolo26n", False),
        ("rtdetr_ultralytics", "rtdetr-l", None),
    ):
        kind, size = RTDETR if config == "rtdetr-l" else YOLO, (160, 160)
        model = kind(f"{config}.yaml")
        made = type(model.model)(f"{config}.yaml", nc=len(NAMES), verbose=False)
        made.args, made.task, model.model = model.model.args, model.task, made
        model.model.names = dict(enumerate(NAMES))
        head = model.model.model[-1]
        rgb = noise_image(size)
        settle(made, lambda m, rgb=rgb: m(torch.from_numpy(tensor(rgb)[None])))
        for boxes in [*getattr(head, "cv2", []), *(getattr(head, "one2one_cv2", None) or [])]:
            bias = boxes[-1].bias  # of bins for left, top, right, bottom: near ones are more likely
            bias.data -= 0.7 * torch.arange(len(bias) // 4).repeat(4)
        for scores in [*getattr(head, "cv3", []), *(getattr(head, "one2one_cv3", None) or [])]:
            stir(scores[-1], 0.1)
        least = {"conf": 1e-4} if nms else {}  # the results of NMS in the graph
        made = model.export(format="onnx", imgsz=size, opset=17, simplify=False, nms=nms, **least)
        path = Path(shutil.move(made, folder / f"{name}.onnx"))
        (rows,) = onnxruntime.InferenceSession(str(path)).run(None, {"images": tensor(rgb)[None]})
        # Each box of a raw head has its best class, as in Ultralytics.
        scores = rows[0, 4:].max(axis=0) if rows.shape[1] == 4 + len(NAMES) else rows[0, :, 4]
        options = {"threshold": between(scores), "iou_threshold": 0.5}
        task = {} if kind is RTDETR else {"task": "detect"}
        (result,) = kind(path, **task).predict(
            np.ascontiguousarray(rgb[..., ::-1]),
            imgsz=size,
            conf=options["threshold"],
            iou=options["iou_threshold"],
            verbose=False,
        )
        found = result.boxes.xyxy, result.boxes.conf, result.boxes.cls
        if nms is not None or kind is RTDETR:
            del options["iou_threshold"]  # the graph's own
        record(name, "ultralytics", path, tensor(rgb)[None], found, **options)


def between(scores):
    """A number in the widest gap between the best scores, so that rounding does not matter."""
    best = np.sort(scores.ravel())[::-1][5:30]
    widest = np.argmax(best[:-1] - best[1:])
    return float(best[widest] + best[widest + 1]) / 2


def settle(model, call):
    """Calibrate batch normalization; the outputs of a new network would be constant otherwise."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        for _ in range(3):
            call(model.train())
    model.eval()


def stir(head, by=0.3):
    """Make a new head predict different classes in different places."""
    with torch.no_grad():
        for parameter in head.parameters():
            parameter += by * torch.randn_like(parameter)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for of in (of_torchvision, of_transformers, of_ultralytics):
        if of.__name__.removeprefix("of_") in (sys.argv[2:] or of.__name__):
            torch.manual_seed(0)
            of(folder)
