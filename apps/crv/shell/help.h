// How help is laid out, and what the man page and the completions need to know of a command line.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace crv::cli {

inline constexpr const char* kGlobalGroup = "Global options";

// CLI11's layout with the kind of value after an option, and nothing else.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(28);
    label("Positionals", "Arguments");
  }
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

// Commands that people are told of, in the order they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
std::vector<const CLI::Option*> positionals_of(const CLI::App& app);
// Without --help.
std::vector<const CLI::Option*> options_of(const CLI::App& app);
// False for a flag.
bool takes_value(const CLI::Option& option);
// "--ticks A..B", or "-o,--output FILE".
std::string signature_of(const CLI::Option& option);
// "RUN TABLE FILE..."
std::string arguments_of(const CLI::App& app);

}  // namespace crv::cli
