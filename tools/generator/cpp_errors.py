"""Error codes and classes."""

from text import banner


def header(catalog):
    codes = "".join(f"  {c['name']},  // {c['class']}: {c['doc']}\n" for c in catalog.error_codes)
    classes = " \\\n".join(f"  X({c['name']}, {c['base']})" for c in catalog.error_classes)
    return (
        banner("errors.toml") + "#pragma once\n\nnamespace crv {\n\nenum class ErrorCode {\n" + codes
        + "};\n\n}  // namespace crv\n\n// X(class, base), each base before the classes that derive from it.\n"
        + "#define CRV_ERROR_CLASSES(X) \\\n" + classes + "\n"
    )


def source(catalog):
    cases = ""
    for cls in catalog.error_classes:
        codes = [c["name"] for c in catalog.error_codes if c["class"] == cls["name"]]
        cases += "".join(f"    case ErrorCode::{code}:\n" for code in codes)
        if codes:
            cases += f"      throw {cls['name']}(code, message, std::move(facts));\n"
    names = "".join(
        f"    case ErrorCode::{c['name']}:\n      return \"{c['name']}\";\n" for c in catalog.error_codes)
    return (
        banner("errors.toml") + '#include "crv/core/error.h"\n\nnamespace crv {\n\n'
        + "void raise(ErrorCode code, const std::string& message, ErrorFacts facts) {\n  switch (code) {\n" + cases
        + "  }\n  throw Error(code, message, std::move(facts));\n}\n\n"
        + "const char* name_of(ErrorCode code) noexcept {\n  switch (code) {\n" + names
        + '  }\n  return "unknown";\n}\n\n}  // namespace crv\n'
    )
