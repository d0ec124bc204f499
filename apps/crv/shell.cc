#include "shell.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iostream>
#include <sstream>
#include <utility>

#include "crv/core/error.h"
#include "io/file_formats.h"
#include "io/streams.h"

namespace crv::cli {
namespace {

constexpr char kChoiceSeparator = '|';

}  // namespace

const io::LoadedSettings& Shell::settings() {
  if (!settings_) {
    settings_ = io::load_settings(globals.config);
    for (const auto& warning : settings_->warnings) {
      warn(warning);
    }
    if (!globals.root.empty()) {
      settings_->settings.root_dir = globals.root;
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
  io::DatasetOptions options;
  options.on_warning = [this](const std::string& text) { warn(text); };
  return io::Dataset(settings().settings, run_id, std::move(options));
}

io::Dataset Shell::open_existing(const std::string& run_id) {
  const auto runs = io::list_runs(settings().settings);
  if (std::find(runs.begin(), runs.end(), run_id) == runs.end()) {
    ErrorFacts facts;
    facts.run_id = run_id;
    facts.path = settings().settings.root_dir;
    raise(ErrorCode::bad_run_id,
          "there is no run \"" + run_id + "\" in " + facts.path + "/runs (see crv runs, or --root)", facts);
  }
  return open(run_id);
}

void Shell::print(std::string_view text) {
  const auto output = io::open_output("-");
  io::check_write(output->Write(text.data(), static_cast<std::int64_t>(text.size())));
}

void Shell::print_json(const Json& value) {
  print(write_json(value, {.indent = 2}) + "\n");
}

void Shell::answer_json(const Json& value) {
  try {
    print_json(value);
  } catch (const IoWriteError& error) {
    if (error.facts().os_error != EPIPE) {
      warn(std::string("the rows are committed, but the answer could not be written: ") + error.what());
    }
  }
}

void Shell::say(const std::string& text) {
  if (!globals.quiet) {
    std::cerr << text << '\n';
  }
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
        if (error != std::errc() || stop != end) {
          return "\"" + value + "\" is no integer of 64 bits in decimal digits";
        }
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
        return known ? std::string() : "\"" + value + "\" is none of " + CLI::detail::join(values, ", ");
      },
      ""));
}

std::vector<std::string> choices_of(const CLI::Option* option) {
  const std::string type = option->get_type_name();
  return type.find(kChoiceSeparator) == std::string::npos ? std::vector<std::string>()
                                                          : CLI::detail::split(type, kChoiceSeparator);
}

}  // namespace crv::cli
