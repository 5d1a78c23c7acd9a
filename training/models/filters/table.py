"""The filters that learn the CRF renderer, by the name that stands in their weight files' metadata."""

from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.filters.cnn import CnnFilter
from portraiture.training.models.filters.liu import LiuFilter
from portraiture.training.models.filters.occlusion import OcclusionFilter
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.filters.xu import XuFilter

FILTERS: dict[str, type[LensFilter]] = {
    "RnnFilter": RnnFilter,
    "OcclusionFilter": OcclusionFilter,
    "CnnFilter": CnnFilter,
    "LiuFilter": LiuFilter,
    "XuFilter": XuFilter,
}
