#include "shell/completion.h"
#include "shell/help.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

std::string bash_values(const CLI::Option& option) {
  const auto choices = choices_of(&option);
  const std::string kind = kind_of(option);
  if (!choices.empty()) return "_crv_words " + joined(choices, " ");
  if (kind == "RUN") return "_crv_runs";
  if (kind == "TABLE") return "_crv_words " + joined(table_names(), " ");
  if (kind == "FILE" || kind == "DIR") return kind == "DIR" ? "_crv_folders" : "_crv_files";
  if (kind == "SHELL") return "_crv_words bash zsh";
  return ":";
}

// The values of options, as patterns of a case.
std::string bash_option_cases(const std::vector<const CLI::Option*>& options) {
  std::string text;
  for (const auto* option : options)
    if (takes_value(*option))
      text += "        " + joined(names_of(*option), "|") + ") " + bash_values(*option) + "; return ;;\n";
  return text;
}

std::string bash_command(const CLI::App& app, const CLI::App& command) {
  const auto options = all_options(app, command);
  std::vector<std::string> words{"--help"};
  for (const auto* option : options)
    for (const auto& name : names_of(*option)) words.push_back(name);
  std::string text = "    " + command.get_name() + ")\n      case $previous in\n" +
                     bash_option_cases(options) +
                     "      esac\n      if [[ $current == -* ]]; then _crv_words " + joined(words, " ") +
                     "; return; fi\n      case $place in\n";
  int place = 0;
  for (const auto* argument : positionals_of(command)) {
    const bool many = argument->get_items_expected_max() > 1;
    text += "        " + (many ? "*" : std::to_string(place)) + ") " + bash_values(*argument) + " ;;\n";
    ++place;
  }
  return text + "      esac ;;\n";
}

constexpr const char* kBashHead = R"sh(# bash completion for crv; made by: crv completion bash
_crv_words() { COMPREPLY=($(compgen -W "$*" -- "$current")); }
_crv_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); }
_crv_folders() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); }
_crv_runs() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$(crv "${where[@]}" --quiet runs 2>/dev/null)" -- "$current"))
}
_crv() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= place=0 i word
  local -a where=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
)sh";

}  // namespace

std::string bash_script(const CLI::App& app) {
  std::vector<std::string> with_value;
  std::vector<std::string> commands;
  std::string cases;
  for (const auto* command : commands_of(app)) {
    commands.push_back(command->get_name());
    cases += bash_command(app, *command);
    for (const auto* option : options_of(*command)) {
      if (takes_value(*option))
        for (const auto& name : names_of(*option)) with_value.push_back(name);
    }
  }
  std::vector<std::string> global_words{"--help"};
  for (const auto* option : options_of(app))
    for (const auto& name : names_of(*option)) global_words.push_back(name);
  return std::string(kBashHead) +
         "      --root|--config) where+=(\"$word\" \"${COMP_WORDS[i+1]}\"); ((i++)) ;;\n" + "      " +
         joined(with_value, "|") + ") ((i++)) ;;\n" +
         "      -?*) ;;\n"
         "      *) if [[ -z $command ]]; then command=$word; else ((place++)); fi ;;\n"
         "    esac\n  done\n  case $command in\n    '')\n      case $previous in\n" +
         bash_option_cases(options_of(app)) + "      esac\n      _crv_words " + joined(commands, " ") + " " +
         joined(global_words, " ") + " ;;\n" + cases + "  esac\n}\ncomplete -F _crv crv\n";
}

}  // namespace crv::cli
