#include "crv/io/settings.h"

#include <cctype>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "io/base/os.h"
#include "io/settings/settings_fields.h"

namespace crv::io {
namespace {

bool can_be_variable(const FieldDef& field) {
  return !std::holds_alternative<At<JsonObject>>(field.place);
}

// "valuation.currency" is VALUATION_CURRENCY after the prefix.
std::string variable_of(const FieldDef& field) {
  std::string name(field.key);
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void apply_environment(SettingsLoading& loading, const std::string& prefix, const Environment& environment) {
  std::map<std::string, const FieldDef*> known;
  for (const FieldDef& field : setting_fields())
    if (can_be_variable(field)) known[prefix + variable_of(field)] = &field;
  for (const auto& [name, text] : environment) {
    if (text.empty()) continue;
    if (const auto at = known.find(name); at != known.end()) {
      const FieldDef& field = *at->second;
      loading.set(field, {std::string(field.key), "environment variable " + name, {}, text, Json(text)},
                  name);
    } else if (!prefix.empty() && name.starts_with(prefix)) {
      std::vector<std::string> names;
      for (const auto& [variable, field] : known) names.push_back(variable);
      loading.warn("environment variable " + printable(name) + " is not a setting of crv and was not read" +
                   did_you_mean(name, names));
    }
  }
}

template <class T>
Json json_of(const T& value) {
  return value;
}
template <class E>
  requires std::is_enum_v<E>
Json json_of(const E& value) {
  return text_of(value);
}

}  // namespace

JsonObject to_json(const IoSettings& settings) {
  IoSettings copy = settings;  // places give references that may be written to
  JsonObject fields;
  for (const FieldDef& field : setting_fields())
    fields.push_back(std::string(field.key),
                     std::visit([&](auto at) { return json_of(at(copy)); }, field.place));
  return fields;
}

IoSettings settings_from_json(const JsonObject& fields) {
  IoSettings settings;
  for (const auto& [key, value] : fields) {
    const auto* text = value.get_if<std::string>();
    const Given given{
        key, "setting " + key, {}, text ? *text : write_json(value, {.any_bytes = true}), value};
    const FieldDef* field = find_setting(key);
    if (!field)
      raise(ErrorCode::config_unknown_key,
            "\"" + key + "\" is not a setting of crv" + did_you_mean(key, setting_names("")),
            {.key = key, .value = given.text});
    take(given, *field, settings);
  }
  return settings;
}

SettingsLoading::SettingsLoading(const IoSettings& base)
    : settings_(base), origins_(setting_fields().size()) {
  const IoSettings defaults;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const FieldDef& field = setting_fields()[i];
    origins_[i] = shown(field, base) == shown(field, defaults) ? "default" : "given";
  }
}

void SettingsLoading::set(const FieldDef& field, const Given& given, const std::string& origin) {
  take(given, field, settings_);
  origins_[static_cast<std::size_t>(&field - setting_fields().data())] = origin;
}

LoadedSettings SettingsLoading::result() && {
  LoadedSettings out;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const FieldDef& field = setting_fields()[i];
    out.origins.push_back({std::string(field.key), shown(field, settings_), origins_[i]});
  }
  out.settings = std::move(settings_);
  out.warnings = std::move(warnings_);
  return out;
}

Environment process_environment() {
  return environment_variables();
}

LoadedSettings settings_from_toml(const std::string& path, const IoSettings& base) {
  SettingsLoading loading(base);
  apply_toml(loading, path, *posix_os());
  return std::move(loading).result();
}

LoadedSettings settings_from_env(const IoSettings& base, const std::string& prefix,
                                 const Environment& environment) {
  SettingsLoading loading(base);
  apply_environment(loading, prefix, environment);
  return std::move(loading).result();
}

LoadedSettings load_settings(const std::string& path, const Environment& environment) {
  SettingsLoading loading(IoSettings{});
  apply_toml(loading, path, *posix_os());
  apply_environment(loading, "CRV_IO_", environment);
  return std::move(loading).result();
}

}  // namespace crv::io
