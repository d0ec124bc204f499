#include <nanobind/nanobind.h>

#include "io/json.h"
#include "io/parts.h"
#include "io/text_caster.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

nb::dict loaded(const io::LoadedSettings& loading) {
  nb::list origins, warnings;
  for (const io::SettingOrigin& field : loading.origins)
    origins.append(nb::make_tuple(field.key, field.value, field.origin));
  for (const std::string& text : loading.warnings) warnings.append(text);
  nb::dict all;
  all["settings"] = to_python(io::to_json(loading.settings));
  all["origins"] = origins;
  all["warnings"] = warnings;
  return all;
}

}  // namespace

io::IoSettings settings_of(nb::handle fields) {
  return io::settings_from_json(object_from_python(fields, true));
}

void bind_settings(nb::module_& m) {
  m.def(
      "settings_from_toml",
      [](const std::string& path, nb::handle base) {
        return loaded(io::settings_from_toml(path, settings_of(base)));
      },
      nb::arg("path"), nb::arg("base"));
  m.def(
      "settings_from_env",
      [](nb::handle base, const std::string& prefix) {
        return loaded(io::settings_from_env(settings_of(base), prefix));
      },
      nb::arg("base"), nb::arg("prefix"));
  m.def(
      "load_settings", [](const std::string& path) { return loaded(io::load_settings(path)); },
      nb::arg("path"));
}

}  // namespace crv::python
