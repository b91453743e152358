// Runs every file of the folders and files named on the command line through a fuzz target, then,
// with `--seconds N`, mutations of them for N seconds of CPU. Built in place of libFuzzer where
// there is none: it does not look at what code an input reaches, but it needs no build of its own.
// The mutations are the same each time; `--seed S` makes others. An input that ends the program is
// left in `crash-<program>`.

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr std::size_t kMaximumSize = 4096;
/// Of one input; a target that takes longer hangs.
constexpr unsigned kSecondsPerInput = 60;

// What a signal's handler needs.
const char* crash_file = nullptr;
const std::string* current = nullptr;

void keep_current() {
  if (current == nullptr) {
    return;
  }
  const int file = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) {
    [[maybe_unused]] const ssize_t written = write(file, current->data(), current->size());
    close(file);
  }
}

void on_signal(int number) {
  keep_current();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run(const std::string& input) {
  current = &input;
  alarm(kSecondsPerInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  alarm(0);
  current = nullptr;
}

std::vector<std::string> read_inputs(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> inputs;
  const auto read = [&inputs](const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  for (const auto& path : paths) {
    if (!std::filesystem::exists(path)) {
      std::printf("%s does not exist\n", path.c_str());
      std::exit(1);
    }
    if (!std::filesystem::is_directory(path)) {
      read(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) {
        read(entry.path());
      }
    }
  }
  return inputs;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& inputs, std::uint64_t seed)
      : inputs_(inputs), random_(seed) {}

  std::string next() {
    std::string out = any_input();
    for (std::size_t i = 1 + below(6); i > 0; --i) {
      change(out);
    }
    if (out.size() > kMaximumSize) {
      out.resize(kMaximumSize);
    }
    return out;
  }

 private:
  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit);
  }

  const std::string& any_input() { return inputs_[below(inputs_.size())]; }

  /// A piece of at most 16 bytes, or of any size.
  std::string piece_of(const std::string& text) {
    const std::size_t begin = below(text.size());
    const std::size_t most = text.size() - begin;
    return text.substr(begin, 1 + below(below(4) == 0 ? most : std::min<std::size_t>(most, 16)));
  }

  void change(std::string& text) {
    static constexpr std::string_view kBytes = "{}[]()\"'\\.,:;|$@*?+-=<>!/&%#~0129aeExn \n\t";
    const std::size_t at = below(text.size() + 1);
    switch (below(8)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
        break;
      case 2:
        if (at < text.size()) {
          text[at] = kBytes[below(kBytes.size())];
        }
        break;
      case 3:
        if (at < text.size()) {
          text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        }
        break;
      case 4:
        if (at < text.size()) {
          text.erase(at, 1 + below(std::min<std::size_t>(text.size() - at, 16)));
        }
        break;
      case 5:
        text.insert(at, piece_of(text));
        break;
      case 6:
        text.insert(at, piece_of(any_input()));
        break;
      default: {
        // The same piece many times: nesting and length.
        const std::string piece = piece_of(text);
        for (std::size_t i = below(200); i > 0 && text.size() < kMaximumSize; --i) {
          text.insert(std::min(at, text.size()), piece);
        }
        break;
      }
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937_64 random_;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> paths;
  double seconds = 0;
  std::uint64_t seed = 1;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--seconds" && i + 1 < count) {
      seconds = std::atof(arguments[++i]);
    } else if (argument == "--seed" && i + 1 < count) {
      seed = std::strtoull(arguments[++i], nullptr, 10);
    } else {
      paths.emplace_back(argument);
    }
  }
  const std::string file = "crash-" + std::filesystem::path(arguments[0]).filename().string();
  crash_file = file.c_str();
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
    std::signal(number, on_signal);
  }
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(keep_current);
  }
  const std::vector<std::string> inputs = read_inputs(paths);
  for (const std::string& input : inputs) {
    run(input);
  }
  std::size_t mutations = 0;
  if (!inputs.empty()) {
    Mutator mutator(inputs, seed);
    for (const double end = cpu_seconds() + seconds; cpu_seconds() < end; ++mutations) {
      run(mutator.next());
    }
  }
  std::printf("%zu inputs, %zu mutations\n", inputs.size(), mutations);
  return inputs.empty() ? 1 : 0;
}
