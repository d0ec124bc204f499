// JSON values and Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include "crv/core/json.h"

namespace crv::python {

nanobind::object to_python(const Json& value);
// None, bool, int, float, str, list, tuple, and a mapping with str keys; also what has __index__ or __float__
// and is none of these, such as numbers of numpy. Throws TypeError for anything else, naming it.
Json from_python(nanobind::handle value);
JsonObject object_from_python(nanobind::handle mapping);

}  // namespace crv::python
