// Text between Python and the core, whatever it holds.
#pragma once

#include <string>
#include <string_view>

#include <nanobind/nanobind.h>

namespace crv::python {

// A str as UTF-8. A lone surrogate comes as the byte that os.fsdecode made it of, so that a path of any bytes
// is that path; any other as UTF-8 would write it. What must be UTF-8 the core refuses, as it does any other
// bytes. Throws TypeError for what is no str.
std::string bytes_of(nanobind::handle text);

// The other way: bytes that are not UTF-8 become lone surrogates, and os.fsencode makes them bytes again.
nanobind::object text_of(std::string_view bytes);

}  // namespace crv::python
