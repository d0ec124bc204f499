#include <crv/io/settings.h>

#include <iostream>

int main() {
  std::cout << crv::io::load_settings().settings.root_dir << "\n";
}
