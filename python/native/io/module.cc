// crv.io._io: what crv.io takes from the C++ store. No logic here.
#include <nanobind/nanobind.h>

#include "errors.h"
#include "io/parts.h"

NB_MODULE(_io, m) {
  crv::python::translate_errors();
  crv::python::bind_settings(m);
  crv::python::bind_paths(m);
  crv::python::bind_scan(m);
  crv::python::bind_validate(m);
  crv::python::bind_dataset(m);
}
