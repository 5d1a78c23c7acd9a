"""The filters that learn the CRF renderer, by the name that stands in their weight files' metadata."""

from portraiture.training.models.cnn_filter import CnnFilter
from portraiture.training.models.lens_filter import LensFilter
from portraiture.training.models.liu_filter import LiuFilter
from portraiture.training.models.rnn_filter import RnnFilter
from portraiture.training.models.xu_filter import XuFilter

FILTERS: dict[str, type[LensFilter]] = {
    "RnnFilter": RnnFilter,
    "CnnFilter": CnnFilter,
    "LiuFilter": LiuFilter,
    "XuFilter": XuFilter,
}
