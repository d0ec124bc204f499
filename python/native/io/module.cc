// crv.io._io: what crv.io takes from the C++ store. No logic here.
#include <nanobind/nanobind.h>

#include "errors.h"
#include "io/parts.h"

NB_MODULE(_io, m) {
  nanobind::set_leak_warnings(false);  // what a program still holds at its end goes with the process
  crv::python::translate_errors();
  crv::python::bind_settings(m);
  crv::python::bind_paths(m);
  crv::python::bind_scan(m);
  crv::python::bind_validate(m);
  crv::python::bind_dataset(m);
}
