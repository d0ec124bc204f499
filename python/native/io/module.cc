// crv.io._io: what crv.io takes from the C++ store. No logic here.
#include <nanobind/nanobind.h>

#include "errors.h"

NB_MODULE(_io, m) {
  crv::python::translate_errors();
  m.attr("__name__") = "crv.io._io";
}
