// crv::Error on its way into Python.
#pragma once

#include <nanobind/nanobind.h>

namespace crv::python {

// From here on a crv::Error that leaves a function of `module` arrives as the Python class of its code: see
// crv.core.errors and crv.io.errors.
void translate_errors();

}  // namespace crv::python
