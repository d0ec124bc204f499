// crv completion: scripts for bash and zsh, made from the command line's own tree.
#include <memory>

#include "crv/core/descriptor.h"
#include "shell/completion.h"
#include "shell/help.h"
#include "shell/shell.h"

namespace crv::cli {

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  return CLI::detail::join(words, separator);
}

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const auto& table : core::list_tables()) names.push_back(table.name);
  return names;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string kind_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true, false);
  return !takes_value(option) ? "" : option.get_type_name();
}

std::vector<const CLI::Option*> all_options(const CLI::App& app, const CLI::App& command) {
  auto options = options_of(command);
  for (const auto* option : options_of(app)) options.push_back(option);
  return options;
}

void add_completion(CLI::App& app, Shell& shell) {
  const auto kind = std::make_shared<std::string>();
  auto* command = add_command(
      app, "completion", "Print the completion script for a shell",
      "  source <(crv completion bash)\n  crv completion zsh > ~/.zfunc/_crv",
      [&app, &shell, kind] { shell.print(*kind == "bash" ? bash_script(app) : zsh_script(app)); });
  auto* option = command->add_option("SHELL", *kind, "bash or zsh")->required();
  choose_from(option, {"bash", "zsh"});
}

}  // namespace crv::cli
