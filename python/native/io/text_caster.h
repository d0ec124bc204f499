// How nanobind takes and gives a std::string in this module: as text.h has it. In place of
// nanobind/stl/string.h, which knows no str with a lone surrogate and no bytes beyond UTF-8.
#pragma once

#include <exception>
#include <string>

#include "text.h"

namespace nanobind::detail {

template <>
struct type_caster<std::string> {
  NB_TYPE_CASTER(std::string, const_name("str"))

  bool from_python(handle given, std::uint8_t, cleanup_list*) noexcept {
    if (PyUnicode_Check(given.ptr()) == 0) return false;
    try {
      value = crv::python::bytes_of(given);
    } catch (const std::exception&) {  // no memory
      return false;
    }
    return true;
  }

  static handle from_cpp(const std::string& bytes, rv_policy, cleanup_list*) noexcept {
    return PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
  }
};

}  // namespace nanobind::detail
