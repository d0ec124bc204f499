// Records a few holdings tick by tick and reads a range of them back. Prints what it read; status 1 if that
// is wrong.
#include <crv/core/rows.h>
#include <crv/io/dataset.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <arrow/api.h>

int main() {
  crv::io::IoSettings settings;
  settings.root_dir = (std::filesystem::current_path() / "consumer_out").string();
  std::filesystem::remove_all(settings.root_dir);

  crv::io::Dataset dataset(settings, "first_run");
  for (int tick = 0; tick < 3; ++tick) {
    const std::vector<crv::core::HoldingsRow> rows = {
        {.tick = tick, .agent_id = "ada", .token_id = "sugar", .quantity = 10 + tick},
        {.tick = tick, .agent_id = "bob", .token_id = "spice", .quantity = 20 + tick}};
    dataset.append("holdings", rows);
  }

  const auto table = dataset.read("holdings", {.ticks = {.min = 1, .max = 2}});
  std::cout << table->num_rows() << " rows of ticks 1 to 2\n";
  return table->num_rows() == 4 ? 0 : 1;
}
