// What every command shares: the global options, the settings they give, and where words and data go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "crv/core/json.h"
#include "crv/io/dataset.h"
#include "crv/io/settings.h"
#include "output/error_text.h"

namespace crv::cli {

// Of all commands, before or after the command's name.
struct Globals {
  std::string root;    // empty: as the settings have it
  std::string config;  // empty: crv.toml or pyproject.toml of the working directory
  bool json = false;
  bool quiet = false;
};

class Shell {
 public:
  Globals globals;
  int status = 0;  // of the process, where nothing is thrown
  Standing standing;

  // Defaults, file, environment and --root; their warnings are told once.
  const io::LoadedSettings& settings();
  io::Dataset open(const std::string& run_id);
  // The same for commands that only look: throws IoManifestError (run_missing) where there is no such run.
  io::Dataset open_existing(const std::string& run_id);

  void print(std::string_view text);   // standard output: what was asked for
  void print_json(const Json& value);  // indented, with a newline
  // The same after a commit. Where it cannot be written, that is a warning: by another exit status than 0 a
  // script would take the rows for missing.
  void answer_json(const Json& value);
  void say(const std::string& text);   // a line on standard error, unless --quiet
  void warn(const std::string& text);  // the same, "crv: warning: "

 private:
  std::optional<io::LoadedSettings> settings_;
};

// Whether a limit of address space, if there is one, leaves what Arrow's libraries need.
bool has_least_memory();

// Adds a command with its help and example; `run` is called when the command line names it.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, std::function<void()> run);
// The value must be an integer of 64 bits in decimal digits: a usage error if not.
void take_integer(CLI::Option* option);
// The value must be one of `values`: a usage error if not.
void choose_from(CLI::Option* option, const std::vector<std::string>& values);
// The values that choose_from() gave; empty for any other option.
std::vector<std::string> choices_of(const CLI::Option* option);

// Each adds its commands to `app`; shell must outlive it.
void add_runs(CLI::App& app, Shell& shell);        // runs, tables
void add_schema(CLI::App& app, Shell& shell);      // schema
void add_create(CLI::App& app, Shell& shell);      // create
void add_append(CLI::App& app, Shell& shell);      // append
void add_record(CLI::App& app, Shell& shell);      // record
void add_scan(CLI::App& app, Shell& shell);        // scan
void add_upkeep(CLI::App& app, Shell& shell);      // manifest, rebuild, verify
void add_history(CLI::App& app, Shell& shell);     // bundle, log
void add_config(CLI::App& app, Shell& shell);      // config
void add_completion(CLI::App& app, Shell& shell);  // completion
void add_man(CLI::App& app, Shell& shell);         // man (hidden)

}  // namespace crv::cli
