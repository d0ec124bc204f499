#include "text.h"

namespace crv::python {

namespace nb = nanobind;

std::string bytes_of(nb::handle text) {
  if (PyUnicode_Check(text.ptr()) == 0) throw nb::type_error("a text must be a str");
  for (const char* lone_surrogates : {"surrogateescape", "surrogatepass"}) {
    const auto bytes = nb::steal<nb::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", lone_surrogates));
    if (bytes.is_valid()) return {bytes.c_str(), bytes.size()};
    if (PyErr_ExceptionMatches(PyExc_UnicodeError) == 0) nb::raise_python_error();
    PyErr_Clear();
  }
  throw nb::type_error("a text could not be encoded");
}

nb::object text_of(std::string_view bytes) {
  const auto size = static_cast<Py_ssize_t>(bytes.size());
  const auto text = nb::steal(PyUnicode_DecodeUTF8(bytes.data(), size, "surrogateescape"));
  if (!text.is_valid()) nb::raise_python_error();
  return text;
}

}  // namespace crv::python
