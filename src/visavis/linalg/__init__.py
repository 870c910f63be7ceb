"""Linear algebra over any array library: centring, blocks, distances, principal axes, order."""

from visavis.linalg.blocks import cross_product as cross_product
from visavis.linalg.blocks import inner as inner
from visavis.linalg.blocks import row_blocks as row_blocks
from visavis.linalg.centre import centred as centred
from visavis.linalg.centre import comfortable as comfortable
from visavis.linalg.centre import hollow_centred as hollow_centred
from visavis.linalg.centre import peak_unit as peak_unit
from visavis.linalg.centre import scaled as scaled
from visavis.linalg.centre import shift_of as shift_of
from visavis.linalg.centre import shifted as shifted
from visavis.linalg.centre import split_diagonal as split_diagonal
from visavis.linalg.centre import unit_of as unit_of
from visavis.linalg.distances import manhattan as manhattan
from visavis.linalg.distances import squared_euclidean as squared_euclidean
from visavis.linalg.neighbours import METRICS as METRICS
from visavis.linalg.neighbours import Points as Points
from visavis.linalg.neighbours import unit_rows as unit_rows
from visavis.linalg.order import median_all as median_all
from visavis.linalg.order import middle_of_pairs as middle_of_pairs
from visavis.linalg.spectrum import eigen as eigen
from visavis.linalg.spectrum import left_axes as left_axes
from visavis.linalg.spectrum import rank_tolerance as rank_tolerance
from visavis.linalg.spectrum import within_rank as within_rank
