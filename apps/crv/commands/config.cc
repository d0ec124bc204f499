// crv config
#include "crv/core/shown.h"
#include "output/text_table.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

void print_config(Shell& shell) {
  const auto& origins = shell.settings().origins;
  if (shell.globals.json) {
    JsonArray settings;
    for (const auto& setting : origins) {
      settings.push_back(
          JsonObject{{"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}});
    }
    shell.print_json(JsonObject{{"settings", std::move(settings)}});
    return;
  }
  TextTable text({{"setting"}, {"value"}, {"from"}});
  for (const auto& setting : origins)
    text.add({setting.key, printable(setting.value), printable(setting.origin)});
  shell.print(text.take());
}

}  // namespace

void add_config(CLI::App& app, Shell& shell) {
  add_command(app, "config", "Show each setting and where it came from: default, file, environment or --root",
              "  CRV_IO_TICK_BUCKET_SIZE=50 crv config", [&shell] { print_config(shell); });
}

}  // namespace crv::cli
