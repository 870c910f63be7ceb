"""The paper's Table 2: what it reports, and its measures as visavis is asked for them.

Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations Revisited", ICML
2019 (arXiv:1905.00414).
"""

from collections.abc import Mapping
from types import MappingProxyType

PAPER_TABLE_2: Mapping[str, float] = MappingProxyType(
    {
        "CCA (ρ̄)": 1.4,
        "CCA (R²)": 10.6,
        "SVCCA (ρ̄)": 9.9,
        "SVCCA (R²)": 15.1,
        "PWCCA": 11.1,
        "Linear regression": 45.4,
        "Linear HSIC": 22.2,
        "CKA (linear)": 99.3,
        "CKA (RBF 0.2)": 80.6,
        "CKA (RBF 0.4)": 99.1,
        "CKA (RBF 0.8)": 99.3,
    }
)
"""Accuracy in % of ten networks with nine layers each, trained on CIFAR-10. Chance is 11.1 %."""

TABLE_2: Mapping[str, str] = MappingProxyType(
    {
        "CCA (ρ̄)": "cca(allow_saturated=True)",
        "CCA (R²)": "cca(form=r2, allow_saturated=True)",
        "SVCCA (ρ̄)": "svcca(allow_saturated=True)",
        "SVCCA (R²)": "svcca(form=r2, allow_saturated=True)",
        "PWCCA": "pwcca(allow_saturated=True)",
        "Linear regression": "linear_regression(allow_saturated=True)",
        "Linear HSIC": "hsic(estimator=biased)",
        "CKA (linear)": "cka(estimator=biased)",
        "CKA (RBF 0.2)": "cka(kernel=rbf(0.2), estimator=biased)",
        "CKA (RBF 0.4)": "cka(kernel=rbf(0.4), estimator=biased)",
        "CKA (RBF 0.8)": "cka(kernel=rbf(0.8), estimator=biased)",
    }
)
"""The rows of the paper's Table 2, as `visavis.compare` is asked for them."""

DEBIASED = "CKA (linear, debiased)"
MEASURES: Mapping[str, str] = MappingProxyType({**TABLE_2, DEBIASED: "cka"})
"""The measures of the paper, and debiased CKA."""
