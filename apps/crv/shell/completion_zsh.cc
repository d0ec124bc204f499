#include "shell/completion.h"
#include "shell/help.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

// Within '...' of an _arguments specification.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  return out;
}

std::string zsh_values(const CLI::Option& option) {
  const auto choices = choices_of(&option);
  const std::string kind = kind_of(option);
  if (!choices.empty()) return "(" + joined(choices, " ") + ")";
  if (kind == "RUN") return "_crv_runs";
  if (kind == "TABLE") return "(" + joined(table_names(), " ") + ")";
  if (kind == "FILE" || kind == "DIR") return kind == "DIR" ? "_files -/" : "_files";
  return kind == "SHELL" ? "(bash zsh)" : " ";
}

std::string zsh_specs(const std::vector<const CLI::Option*>& options) {
  std::string text;
  for (const auto* option : options) {
    for (const auto& name : names_of(*option)) {
      const std::string value =
          !takes_value(*option) ? "" : ":" + zsh_text(kind_of(*option)) + ":" + zsh_values(*option);
      text += " \\\n        '" + name + "[" + zsh_text(option->get_description()) + "]" + value + "'";
    }
  }
  return text;
}

// Places are counted with the command at the first.
std::string zsh_command(const CLI::App& app, const CLI::App& command) {
  std::string text =
      "    " + command.get_name() + ")\n      _arguments '1: :'" + zsh_specs(all_options(app, command));
  int place = 2;
  for (const auto* argument : positionals_of(command)) {
    const bool many = argument->get_items_expected_max() > 1;
    text += " \\\n        '" + (many ? "*" : std::to_string(place)) + ":" + kind_of(*argument) + ":" +
            zsh_values(*argument) + "'";
    ++place;
  }
  return text + " ;;\n";
}

constexpr const char* kHead = R"sh(#compdef crv
# zsh completion for crv; made by: crv completion zsh
_crv_runs() {
  local -a found
  found=(${(f)"$(crv $crv_where --quiet runs 2>/dev/null)"})
  compadd -a found
}
_crv() {
  local crv_command
  local -a crv_commands crv_where
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      --root|--config) crv_where+=($words[i] $words[i+1]); ((i++)) ;;
      -*) ;;
      *) [[ -z $crv_command ]] && crv_command=$words[i] ;;
    esac
  done
)sh";

}  // namespace

std::string zsh_script(const CLI::App& app) {
  std::string commands, cases;
  for (const auto* command : commands_of(app)) {
    commands += "    '" + command->get_name() + ":" + zsh_text(command->get_description()) + "'\n";
    cases += zsh_command(app, *command);
  }
  return std::string(kHead) + "  crv_commands=(\n" + commands +
         "  )\n  case $crv_command in\n    '')\n      _arguments" + zsh_specs(options_of(app)) +
         " \\\n        '1:command:{_describe command crv_commands}' ;;\n" + cases +
         "  esac\n}\nif [[ $funcstack[1] == _crv ]]; then _crv \"$@\"; else compdef _crv crv; fi\n";
}

}  // namespace crv::cli
