#include "shell/help.h"

namespace crv::cli {

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const bool shows_value = takes_value(*option) && !option->get_positional();
  return shows_value ? " " + option->get_type_name() : "";
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  const std::string arguments = arguments_of(*app);
  const bool is_command = app->get_parent() != nullptr;
  return "Usage: " + name + (is_command ? " " : " COMMAND ") + arguments + (arguments.empty() ? "" : " ") +
         "[OPTIONS]\n";
}

bool takes_value(const CLI::Option& option) {
  return option.get_expected_max() != 0;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options(
      [&](const CLI::Option* option) { return option->nonpositional() && option != app.get_help_ptr(); });
}

std::string signature_of(const CLI::Option& option) {
  return option.get_name(false, true) + (takes_value(option) ? " " + option.get_type_name() : "");
}

std::string arguments_of(const CLI::App& app) {
  std::string text;
  for (const auto* option : positionals_of(app)) {
    std::string name = option->get_name(true, false);
    name += option->get_items_expected_max() > 1 ? "..." : "";
    text += (text.empty() ? "" : " ") + (option->get_required() ? name : "[" + name + "]");
  }
  return text;
}

}  // namespace crv::cli
