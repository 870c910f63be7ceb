"""HTML reports: one file, no network, no scripts."""

from visavis.report.html import write_html as write_html
from visavis.report.models import write_models as write_models
from visavis.report.section import Image as Image
from visavis.report.section import Section as Section
from visavis.report.section import Table as Table
