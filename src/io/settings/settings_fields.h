// The fields of the settings as a list, and the way of a value that somebody gave into its field. Only for
// the loaders.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crv/core/json.h"
#include "crv/io/settings.h"
#include "io/base/os.h"

namespace crv::io {

// Where a field is kept. Its type decides how the field is read, checked and shown.
template <class T>
using At = T& (*)(IoSettings&);
using Place = std::variant<At<std::string>, At<std::int64_t>, At<bool>, At<JsonObject>, At<Compression>,
                           At<Durability>, At<CostMethod>, At<PriceSource>>;

struct FieldDef {
  std::string_view key;
  Place place;
  std::string_view only = {};  // the one text that is allowed, if there is but one
};

inline constexpr std::string_view kValuationPrefix = "valuation.";

const std::vector<FieldDef>& setting_fields();       // in declaration order
const FieldDef* find_setting(std::string_view key);  // nullptr where there is none
// Keys that begin with `prefix`, without it.
std::vector<std::string> setting_names(std::string_view prefix);
std::string shown(const FieldDef& field, const IoSettings& settings);

struct Given {
  std::string key;
  std::string where;  // how a message names it: "crv.toml: [io] strict_schema", "environment variable X"
  std::string path;   // of the file, if it is one
  std::string text;   // the value as it stands there
  std::optional<Json> value;  // absent for what JSON does not know: dates and times
};

// Puts a value into its field. Throws IoConfigError (config_value) where it is not one for this field.
void take(const Given& given, const FieldDef& field, IoSettings& settings);
[[noreturn]] void refuse_value(const Given& given, const std::string& need);

// Settings while they are being put together.
class SettingsLoading {
 public:
  explicit SettingsLoading(const IoSettings& base);

  void set(const FieldDef& field, const Given& given, const std::string& origin);
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  LoadedSettings result() &&;

 private:
  IoSettings settings_;
  std::vector<std::string> origins_;  // as setting_fields()
  std::vector<std::string> warnings_;
};

// As settings_from_toml().
void apply_toml(SettingsLoading& loading, const std::string& path, Os& os);

}  // namespace crv::io
