#include "shell/shell.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <utility>

#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "crv/io/formats.h"
#include "output/words.h"

namespace crv::cli {
namespace {

constexpr char kChoiceSeparator = '|';

// Below it Arrow's libraries end the process instead of failing. Measured: they do below 110 MiB with two
// cores, of which each takes some more.
constexpr std::int64_t kLeastAddressSpace = std::int64_t{192} << 20;

// Bytes that this process may map, where there is a limit (ulimit -v).
std::optional<std::int64_t> address_space_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX));
}

void require_memory() {
  if (!has_least_memory()) {
    const auto limit = address_space_limit();
    raise(ErrorCode::out_of_memory,
          "this process may take " + bytes_text(*limit) +
              " of address space (ulimit -v); crv needs at least " + bytes_text(kLeastAddressSpace) +
              ", and more for large files",
          {.key = "RLIMIT_AS", .value = std::to_string(*limit)});
  }
}

}  // namespace

bool has_least_memory() {
  const auto limit = address_space_limit();
  return !limit || *limit >= kLeastAddressSpace;
}

const io::LoadedSettings& Shell::settings() {
  if (!settings_) {
    settings_ = io::load_settings(globals.config);
    for (const auto& warning : settings_->warnings) warn(warning);
    if (!globals.root.empty()) {
      settings_->settings.root_dir = globals.root;
      io::check_settings(settings_->settings);
      for (auto& origin : settings_->origins) {
        if (origin.key == "root_dir") {
          origin.value = globals.root;
          origin.origin = "--root";
        }
      }
    }
  }
  return *settings_;
}

io::Dataset Shell::open(const std::string& run_id) {
  require_memory();
  io::DatasetOptions options;
  options.on_warning = [this](const std::string& text) { warn(text); };
  return io::Dataset(settings().settings, run_id, std::move(options));
}

io::Dataset Shell::open_existing(const std::string& run_id) {
  require_memory();
  io::require_run(settings().settings, run_id);
  return open(run_id);
}

void Shell::print(std::string_view text) {
  io::open_text("-")->write(text);
}

void Shell::print_json(const Json& value) {
  print(write_json(value, {.indent = 2, .any_bytes = true}) + "\n");  // names of files may be any bytes
}

void Shell::answer_json(const Json& value) {
  try {
    print_json(value);
  } catch (const IoWriteError& error) {
    if (error.facts().os_error != EPIPE)
      warn(std::string("the rows are committed, but the answer could not be written: ") + error.what());
  }
}

void Shell::say(const std::string& text) {
  if (!globals.quiet) std::cerr << printable(text) << '\n';
}

void Shell::warn(const std::string& text) {
  say("crv: warning: " + text);
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, std::function<void()> run) {
  auto* command = app.add_subcommand(name, description);
  command->group("Commands");
  command->callback(std::move(run));
  command->footer("Example:\n" + example);
  return command;
}

void take_integer(CLI::Option* option) {
  // CLI11 itself would read 010 as 8 and take the nearest for what is beyond 64 bits.
  option->transform(CLI::Validator(
      [](std::string& value) {
        std::int64_t number = 0;
        const char* const end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, number);
        if (error != std::errc() || stop != end)
          return "\"" + value + "\" is no integer of 64 bits in decimal digits";
        value = std::to_string(number);
        return std::string();
      },
      ""));
}

void choose_from(CLI::Option* option, const std::vector<std::string>& values) {
  option->type_name(CLI::detail::join(values, std::string(1, kChoiceSeparator)));
  option->check(CLI::Validator(
      [values](std::string& value) {
        const bool known = std::find(values.begin(), values.end(), value) != values.end();
        return known ? std::string()
                     : "\"" + value + "\" is none of " + CLI::detail::join(values, ", ") +
                           did_you_mean(value, values);
      },
      ""));
}

std::vector<std::string> choices_of(const CLI::Option* option) {
  const std::string type = option->get_type_name();
  return type.find(kChoiceSeparator) == std::string::npos ? std::vector<std::string>()
                                                          : CLI::detail::split(type, kChoiceSeparator);
}

}  // namespace crv::cli
