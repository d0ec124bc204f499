// Settings files: crv.toml, pyproject.toml and such.
#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

#include <toml++/toml.h>

#include "crv/core/error.h"
#include "crv/core/suggest.h"
#include "io/settings/settings_fields.h"

namespace crv::io {
namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& problem,
                              std::optional<std::int64_t> line = {}, int os_error = 0) {
  ErrorFacts facts;
  facts.path = path;
  facts.line = line;
  facts.os_error = os_error;
  raise(ErrorCode::config_file, "settings file " + path + " " + problem, std::move(facts));
}

// 0 or -errno.
std::int64_t read_all(const std::string& path, Os& os, std::string& text) {
  const int fd = os.open_to_read(path);
  if (fd < 0) return fd;
  std::array<char, 4096> chunk{};
  std::int64_t got = 0;
  do {
    got = os.read(fd, chunk.data(), chunk.size());
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
  } while (got > 0 || got == -EINTR);
  os.close(fd);  // nothing was written that could be lost
  return got;
}

toml::table parse_file(const std::string& path, Os& os) {
  OsStat found;
  if (os.stat(path, found) == 0 && found.is_folder) refuse_file(path, "is a folder, not a file");
  std::string text;
  if (const auto failed = read_all(path, os, text); failed < 0) {
    const int code = static_cast<int>(-failed);
    refuse_file(path, "cannot be read: " + std::generic_category().message(code), {}, code);
  }
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& problem) {
    const auto line = static_cast<std::int64_t>(problem.source().begin.line);
    refuse_file(path, "is not TOML: line " + std::to_string(line) + ": " + std::string(problem.description()),
                line);
  }
}

template <class T>
std::string toml_text(const T& value) {
  std::ostringstream out;
  out << value;
  return std::move(out).str();
}

std::optional<Json> json_of(const toml::node& node);

// Dates and times become their text here: options are kept, not understood.
Json json_kept(const toml::node& node) {
  if (auto value = json_of(node)) return *std::move(value);
  return node.visit([](const auto& value) { return Json(toml_text(value)); });
}

std::optional<Json> json_of(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    JsonObject object;
    for (const auto& [key, value] : *table) object.push_back(std::string(key.str()), json_kept(value));
    return Json(std::move(object));
  }
  if (const auto* array = node.as_array()) {
    JsonArray items;
    for (const auto& value : *array) items.push_back(json_kept(value));
    return Json(std::move(items));
  }
  if (const auto* value = node.as_string()) return Json(value->get());
  if (const auto* value = node.as_integer()) return Json(value->get());
  if (const auto* value = node.as_floating_point()) return Json(value->get());
  if (const auto* value = node.as_boolean()) return Json(value->get());
  return std::nullopt;
}

Given given_of(const toml::node& node, std::string_view key, const std::string& path,
               const std::string& section) {
  Given given{std::string(key), path + ": " + section + std::string(key), path, {}, json_of(node)};
  const Json kept = json_kept(node);
  const auto* text = kept.get_if<std::string>();
  given.text = text ? *text : write_json(kept);
  return given;
}

std::string known_keys(std::string_view prefix) {
  std::string out;
  for (const FieldDef& field : setting_fields()) {
    if (field.key.starts_with(kValuationPrefix) == prefix.empty()) continue;
    out += (out.empty() ? "" : ", ") + std::string(field.key.substr(prefix.size()));
  }
  return out;
}

[[noreturn]] void refuse_key(const Given& given, std::string_view prefix) {
  ErrorFacts facts;
  facts.key = given.key;
  facts.value = given.text;
  facts.path = given.path;
  raise(ErrorCode::config_unknown_key,
        given.where + " (= " + given.text + ") is not a setting of crv; there are " + known_keys(prefix) +
            (prefix.empty() ? " and the table valuation" : "") +
            did_you_mean(std::string_view(given.key).substr(prefix.size()), setting_names(prefix)),
        std::move(facts));
}

// The table of a file that holds crv's settings.
struct Section {
  std::string path;
  std::string name;  // "[io] ", or "" for the top level
  const toml::table* table = nullptr;
  bool at_top = false;
};

// Keys with a dot of their own ("valuation.enabled" = true) are not those of a table within.
bool has_dot(std::string_view key) {
  return key.find('.') != std::string_view::npos;
}

void apply_table(SettingsLoading& loading, const Section& section, const toml::table& table,
                 std::string_view prefix) {
  for (const auto& [name, node] : table) {
    const std::string key = std::string(prefix) + std::string(name.str());
    if (prefix.empty() && key == "valuation") {
      const auto* valuation = node.as_table();
      if (!valuation) refuse_value(given_of(node, key, section.path, section.name), "a table");
      apply_table(loading, section, *valuation, kValuationPrefix);
    } else if (const FieldDef* field = has_dot(name.str()) ? nullptr : find_setting(key)) {
      loading.set(*field, given_of(node, field->key, section.path, section.name), section.path);
    } else if (!(section.at_top && prefix.empty() && (node.is_table() || node.is_array_of_tables()))) {
      refuse_key(given_of(node, key, section.path, section.name), prefix);
    }
  }
}

bool names_setting(std::string_view key) {
  return key == "valuation" || (!has_dot(key) && find_setting(key) != nullptr);
}

// A setting beside the table where it would have been read is a mistake worth telling.
void warn_of_misplaced(SettingsLoading& loading, const toml::table& table, const std::string& path,
                       const std::string& where, const std::string& section) {
  for (const auto& [name, node] : table) {
    if (!names_setting(name.str())) continue;
    loading.warn(path + ": " + where + std::string(name.str()) +
                 " was not read: settings of crv belong under " + section);
  }
}

const toml::table* table_in(const toml::table& table, std::string_view key, const std::string& path,
                            const std::string& section) {
  const toml::node* node = table.get(key);
  if (!node) return nullptr;
  if (!node->is_table()) refuse_value(given_of(*node, key, path, section), "a table");
  return node->as_table();
}

Section find_section(SettingsLoading& loading, const toml::table& file, const std::string& path) {
  if (path.substr(path.rfind('/') + 1) == "pyproject.toml") {
    const auto* tool = table_in(file, "tool", path, "");
    const auto* crv = tool ? table_in(*tool, "crv", path, "[tool] ") : nullptr;
    if (crv) warn_of_misplaced(loading, *crv, path, "[tool.crv] ", "[tool.crv.io]");
    const auto* io = crv ? table_in(*crv, "io", path, "[tool.crv] ") : nullptr;
    return {path, "[tool.crv.io] ", io, false};
  }
  if (const auto* io = table_in(file, "io", path, "")) {
    warn_of_misplaced(loading, file, path, "", "[io] here");
    return {path, "[io] ", io, false};
  }
  return {path, "", &file, true};
}

// Whether the file says anything to crv: tables of others at the top level do not count.
bool says_something(const Section& section) {
  if (!section.table) return false;
  return std::ranges::any_of(*section.table, [&](const auto& entry) {
    return !section.at_top || names_setting(entry.first.str()) ||
           !(entry.second.is_table() || entry.second.is_array_of_tables());
  });
}

bool apply_file(SettingsLoading& loading, const std::string& path, Os& os) {
  const toml::table file = parse_file(path, os);
  const Section section = find_section(loading, file, path);
  if (!says_something(section)) return false;
  apply_table(loading, section, *section.table, "");
  return true;
}

}  // namespace

void apply_toml(SettingsLoading& loading, const std::string& path, Os& os) {
  if (!path.empty()) {
    apply_file(loading, path, os);
    return;
  }
  for (const auto* name : {"crv.toml", "pyproject.toml"}) {
    OsStat found;
    if (os.lstat(name, found) != -ENOENT && apply_file(loading, name, os)) return;
  }
}

}  // namespace crv::io
