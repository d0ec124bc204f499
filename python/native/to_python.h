// JSON values as Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include "crv/core/json.h"

namespace crv::python {

// Texts as text.h has it.
nanobind::object to_python(const Json& value);

}  // namespace crv::python
