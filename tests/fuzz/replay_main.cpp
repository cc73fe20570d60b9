// Runs a libFuzzer target over its stored corpus and over seeded random bytes, without libFuzzer:
// so that every build, under every sanitizer, replays what the fuzzers ever found.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& bytes) {
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

/// Flips, cuts and doubles bytes of a seed: 200 children a seed keep the test under a second.
constexpr int kChildrenPerSeed = 200;

void mutate_and_run(const std::string& seed, std::mt19937_64& random) {
  for (int child = 0; child < kChildrenPerSeed; ++child) {
    std::string bytes = seed;
    const int edits = 1 + static_cast<int>(random() % 4);
    for (int edit = 0; edit < edits && !bytes.empty(); ++edit) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 8);
          break;
        case 2:
          bytes.insert(at, bytes.substr(at, 1 + random() % 16));
          break;
        default:
          bytes.resize(at);
          break;
      }
    }
    run(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 random(7);  // fixed: the same bytes in every run
  std::size_t seeds = 0;
  run("");
  for (int arg = 1; arg < argc; ++arg) {
    if (!std::filesystem::exists(argv[arg])) {  // a check that cannot fail is none
      std::printf("%s: there is no corpus: expected a folder with inputs\n", argv[arg]);
      return 1;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[arg])) {
      if (!entry.is_regular_file()) {
        continue;
      }
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      run(bytes);
      mutate_and_run(bytes, random);
      ++seeds;
    }
  }
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    run(bytes);
  }
  std::printf("%zu corpus files, %zu mutated children, 2000 random inputs\n", seeds,
              seeds * kChildrenPerSeed);
  return 0;
}
