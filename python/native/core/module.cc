// crv.core._core: what crv.core takes from the C++ core. No logic here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include "crv/core/grammar.h"
#include "errors.h"

NB_MODULE(_core, m) {
  crv::python::translate_errors();
  m.def("is_lower_snake", &crv::core::is_lower_snake, nanobind::arg("text"));
}
