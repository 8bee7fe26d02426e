"""How Sphinx builds the documentation: `make docs`. Nothing is fetched, by the build or by a reader's page."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from docs.site.public import ABSENT  # noqa: E402

project = "Corral"
project_copyright = "the Corral authors"
version = release = installed("corral")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docs.site.docstrings",
    "docs.site.generated",
    "docs.site.drawings",
]
exclude_patterns = ["site", "benchmarks-notes.md"]

myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
myst_enable_extensions = ["colon_fence"]

# What a docstring points to has to be there. Signatures also name what is of others, or not public.
nitpicky = True
nitpick_ignore_regex = [("py:(?!obj).*", ".*")]

suppress_warnings = ["misc.highlighting_failure"]  # a JSON text that is cut short with …

default_role = "code"
autodoc_mock_imports = list(ABSENT)
autodoc_default_options = {"exclude-members": "model_config, model_fields, model_computed_fields"}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
add_module_names = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "Corral"
html_favicon = "../../src/corral/dashboard/assets/icon.svg"
html_logo = html_favicon
html_static_path = ["static"]
html_css_files = ["corral.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"sidebar_hide_name": False}
pygments_style = "tango"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp, .go"
