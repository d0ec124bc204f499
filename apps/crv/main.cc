// The command crv. It holds no logic of the store: it turns words into calls of the library and results into
// words.
//
// Exit status: 0, 1 (the data or the request is wrong), 2 (usage), 130 (Ctrl-C). A reader that goes away from
// standard output is no error.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "output/error_text.h"
#include "shell/help.h"
#include "shell/interrupt.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

constexpr int kWrong = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;

void add_globals(CLI::App& app, Shell& shell) {
  app.add_option("--root", shell.globals.root, "Folder that holds runs/ (setting root_dir)")
      ->type_name("DIR")
      ->group(kGlobalGroup);
  app.add_option("--config", shell.globals.config,
                 "Settings file (else crv.toml or pyproject.toml of this folder)")
      ->type_name("FILE")
      ->group(kGlobalGroup);
  app.add_flag("--json", shell.globals.json, "Answer, and tell errors, as JSON")->group(kGlobalGroup);
  app.add_flag("-q,--quiet", shell.globals.quiet, "Nothing on standard error but errors")
      ->group(kGlobalGroup);
  app.set_version_flag("--version", std::string("crv ") + CRV_VERSION)->group(kGlobalGroup);
}

void build(CLI::App& app, Shell& shell) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_help_ptr()->group(kGlobalGroup);
  app.fallthrough();
  app.require_subcommand(1);
  add_globals(app, shell);
  add_runs(app, shell);
  add_schema(app, shell);
  add_create(app, shell);
  add_append(app, shell);
  add_record(app, shell);
  add_scan(app, shell);
  add_upkeep(app, shell);
  add_history(app, shell);
  add_config(app, shell);
  add_completion(app, shell);
  add_man(app, shell);
  app.footer(
      "Example:\n  crv append run1 holdings holdings.csv\n  crv scan run1 holdings --ticks 10..19 --format "
      "csv\n\n"
      "crv COMMAND --help tells more of a command, man crv of all.");
}

// --json may stand behind what is wrong, so that it has not been parsed.
bool asks_for_json(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) == "--json") return true;
  return false;
}

// What an argument that nobody takes may have been meant for: an option, or a command where none was named.
std::string did_you_mean_argument(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const auto extras = app.remaining(true);
  if (extras.empty()) return "";
  std::vector<std::string> known;
  std::string given = extras.front();
  if (given.starts_with("-")) {
    given = given.substr(0, given.find('='));
    for (const CLI::App* taker : {&app, commands.empty() ? &app : commands.front()}) {
      for (const auto* option : taker->get_options())
        for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else if (commands.empty()) {
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(command->get_name());
  }
  return did_you_mean(given, known);
}

int usage_error(const CLI::App& app, const CLI::ParseError& error, bool json) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "crv" : "crv " + commands.front()->get_name();
  const auto extras = app.remaining(true);
  const bool no_command = commands.empty() && !extras.empty() && !extras.front().starts_with("-");
  const std::string what =
      no_command ? "there is no command \"" + printable(extras.front()) + '"' : error.what();
  tell_usage_error(what + did_you_mean_argument(app), command, json);
  return kUsage;
}

int failed(const Error& error, const Shell& shell) {
  const bool reader_went = error.code() == ErrorCode::write_failed && error.facts().os_error == EPIPE;
  if (reader_went) return 0;
  tell_error(error, shell.standing, shell.globals.json);
  return error.code() == ErrorCode::interrupted ? kInterrupted : kWrong;
}

int run(int argc, char** argv) {
  Shell shell;
  CLI::App app("Keeps what a simulation emits: rows of tables, tick after tick, run by run.", "crv");
  build(app, shell);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, asks_for_json(argc, argv));
  } catch (const Error& error) {
    return failed(error, shell);
  } catch (const std::bad_alloc&) {
    return failed(IoError(ErrorCode::out_of_memory, "there is not enough memory for this"), shell);
  } catch (const std::exception&) {
    tell_what_stands(shell.standing);
    throw;
  }
  return shell.status;  // also where Ctrl-C came too late to stop anything
}

// What libraries do at exit may ask for memory, and ends the process where there is none.
int leave(int status) {
  if (!has_least_memory()) {
    std::cout.flush();
    std::cerr.flush();
    ::_exit(status);
  }
  return status;
}

}  // namespace
}  // namespace crv::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a write says EPIPE instead
  std::signal(SIGXFSZ, SIG_IGN);  // a write says EFBIG instead: what was committed can still be told
  crv::cli::catch_interrupts();
  try {
    return crv::cli::leave(crv::cli::run(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "crv: " << crv::printable(error.what()) << '\n';
    return crv::cli::leave(crv::cli::kWrong);
  }
}
