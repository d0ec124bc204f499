// What the scripts for both shells know of the command line.
//
// An argument called RUN is completed with what `crv runs` prints under the --root and --config of the line,
// TABLE with the tables of the catalogue, FILE and DIR with files and folders, a choice with its values.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace crv::cli {

std::string bash_script(const CLI::App& app);
std::string zsh_script(const CLI::App& app);

std::string joined(const std::vector<std::string>& words, const std::string& separator);
std::vector<std::string> table_names();
// "-o", "--output"
std::vector<std::string> names_of(const CLI::Option& option);
// RUN, TABLE, FILE, ... of a positional argument or of an option's value; empty for a flag.
std::string kind_of(const CLI::Option& option);
// A command's own options, then those of all commands.
std::vector<const CLI::Option*> all_options(const CLI::App& app, const CLI::App& command);

}  // namespace crv::cli
