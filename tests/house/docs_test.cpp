// The documentation says what is true: links lead somewhere, whole specs in it are valid, and the
// commands it shows exist with the options it gives them.
//
// A block of JSON that has a "version" is a whole spec, but for docs/errors.md, whose examples are
// bad on purpose and have a test of their own (tests/spec/documents_test.cpp).

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/house/tree.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::house {
namespace {

namespace fs = std::filesystem;

std::vector<File> documents() {
  auto files = files_below("docs", {".md"});
  files.push_back(read_file(root() / "README.md"));
  return files;
}

struct Block {
  std::string place;  ///< file:line of its fence
  std::string language;
  std::string text;
};

std::vector<Block> blocks_of(const File& file) {
  std::vector<Block> blocks;
  bool inside = false;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const auto& line = file.lines[i];
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({file.path + ":" + std::to_string(i + 1), line.substr(3), {}});
      inside = !inside;
    } else if (inside) {
      blocks.back().text += line + '\n';
    }
  }
  return blocks;
}

std::vector<Block> all_blocks() {
  std::vector<Block> blocks;
  for (const auto& file : documents()) {
    for (auto& block : blocks_of(file)) blocks.push_back(std::move(block));
  }
  return blocks;
}

/// The words of a shown command from `plumbline` on, up to what a shell would take for itself;
/// empty when the line shows none.
std::vector<std::string> command_in(const std::string& line) {
  static const std::regex shown(R"(^(?:\$ |# )?(?:\S*/)?plumbline\s+([^|>&;#\[(]*))");
  std::smatch match;
  std::vector<std::string> words;
  if (!std::regex_search(line, match, shown)) return words;
  std::istringstream stream(match[1]);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string help_of(const std::vector<std::string>& verb) {
  std::vector<std::string> command{PLUMBLINE_BINARY};
  command.insert(command.end(), verb.begin(), verb.end());
  command.emplace_back("--help");
  return test::run(command).output;
}

const std::set<std::string> verbs{"validate", "plan",    "apply", "confirm", "rollback",
                                  "destroy",  "show",    "adopt", "vms",     "run",
                                  "status",   "history", "graph", "schema",  "doctor"};

/// What is wrong with a shown command, or nothing.
std::string fault_of(const std::vector<std::string>& words) {
  std::string verb;
  for (const auto& word : words) {
    if (verbs.contains(word)) {
      verb = word;
      break;
    }
  }
  const auto general = help_of({});
  const auto special = verb.empty() ? std::string() : help_of({verb});
  for (const auto& word : words) {
    if (!word.starts_with("--")) continue;
    const auto option = word.substr(0, word.find('='));
    const std::regex whole(option + "\\b(?!-)");
    if (!std::regex_search(general, whole) && !std::regex_search(special, whole)) {
      return "no option " + option;
    }
  }
  const bool asks_itself = !words.empty() && words.front().starts_with("--");
  return verb.empty() && !asks_itself ? "no verb" : "";
}

}  // namespace

TEST(Docs, LinksLeadToFiles) {
  static const std::regex link(R"(\]\(([^)#\s]+)[^)]*\))");
  std::vector<std::string> faults;
  for (const auto& file : documents()) {
    for (const auto& line : file.lines) {
      for (std::sregex_iterator it(line.begin(), line.end(), link), end; it != end; ++it) {
        const auto target = (*it)[1].str();
        if (target.find("://") != std::string::npos) continue;
        if (!fs::exists((root() / file.path).parent_path() / target)) {
          faults.push_back(file.path + ": " + target);
        }
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << joined(faults);
}

TEST(Docs, WholeSpecsAreValid) {
  std::string directory = (fs::temp_directory_path() / "plumbline-docs-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  for (const char* key : {"wg0.key", "wg0.psk"}) {
    const std::string path = directory + "/" + key;
    std::ofstream(path) << "CCpsZ3Wp1fWCSmJ8sPpQh/tBDNZIYz5jb3HKsXtrGFA=\n";
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }
  const std::string spec = directory + "/spec.jsonc";
  std::size_t specs = 0;
  for (const auto& block : all_blocks()) {
    if (!block.language.starts_with("json") || block.place.starts_with("docs/errors.md")) continue;
    // A plan or a report has a version too, and no place for comments.
    if (block.text.find("\"version\": 1") == std::string::npos) continue;
    if (block.text.find("\"summary\"") != std::string::npos) continue;
    ++specs;
    std::ofstream(spec) << block.text;
    const auto result = test::run({PLUMBLINE_BINARY, "validate", spec});
    EXPECT_EQ(result.status, 0) << block.place << "\n" << result.output;
  }
  EXPECT_GT(specs, 0U);
  fs::remove_all(directory);
}

TEST(Docs, ShownCommandsExist) {
  std::size_t commands = 0;
  for (const auto& block : all_blocks()) {
    std::istringstream lines(block.text);
    for (std::string line; std::getline(lines, line);) {
      const auto words = command_in(line);
      if (words.empty()) continue;
      ++commands;
      EXPECT_EQ(fault_of(words), "") << block.place << ": " << line;
    }
  }
  EXPECT_GT(commands, 5U);
}

TEST(Docs, EveryFindingOfTheDoctorIsExplained) {
  static const std::regex code(R"re("([A-Z][A-Z0-9_]+)"[,;])re");
  std::string explained;
  for (const auto& line : read_file(root() / "docs/operating.md").lines) explained += line + '\n';
  std::set<std::string> codes;
  for (const auto& file : files_below("src/doctor", {".cpp"})) {
    for (const auto& line : file.lines) {
      for (std::sregex_iterator it(line.begin(), line.end(), code), end; it != end; ++it) {
        codes.insert((*it)[1]);
      }
    }
  }
  EXPECT_GT(codes.size(), 20U);
  for (const auto& each : codes) {
    EXPECT_NE(explained.find('`' + each + '`'), std::string::npos) << each;
  }
}

TEST(Docs, EveryRowOfTheLedgerHasATestAndEveryTestARow) {
  static const std::regex row(R"re(^\| ([WN]\d+) \|)re");
  static const std::regex named(R"re(`(Ledger\w*\.([WN]\d+)_\w+)`)re");
  static const std::regex test(R"re(TEST(?:_F|_P)?\((Ledger\w*),\s*([WN]\d+_\w+)\))re");
  std::set<std::string> rows;
  std::set<std::string> in_table;
  for (const auto& line : read_file(root() / "docs/vm-networks.md").lines) {
    std::smatch match;
    if (!std::regex_search(line, match, row)) continue;
    const std::string of_row = match[1];
    rows.insert(of_row);
    std::size_t tests = 0;
    for (std::sregex_iterator it(line.begin(), line.end(), named), end; it != end; ++it, ++tests) {
      EXPECT_EQ((*it)[2], of_row) << line;
      in_table.insert((*it)[1]);
    }
    EXPECT_GT(tests, 0U) << "no test of " << of_row;
  }
  for (const auto& [letter, last] : {std::pair{"W", 52}, std::pair{"N", 10}}) {
    for (int i = 1; i <= last; ++i) {
      EXPECT_TRUE(rows.contains(letter + std::to_string(i))) << letter << i;
    }
  }
  std::set<std::string> in_sources;
  for (const auto& file : files_below("tests/network", {".cpp"})) {
    std::string text;
    for (const auto& line : file.lines) text += line + '\n';
    for (std::sregex_iterator it(text.begin(), text.end(), test), end; it != end; ++it) {
      in_sources.insert((*it)[1].str() + "." + (*it)[2].str());
    }
  }
  EXPECT_EQ(in_table, in_sources);
}

TEST(Docs, AnOptionThatIsNotThereIsSeen) {
  EXPECT_EQ(fault_of(command_in("plumbline plan --no-such host.json")), "no option --no-such");
  EXPECT_EQ(fault_of(command_in("$ plumbline frobnicate host.json")), "no verb");
  EXPECT_EQ(fault_of(command_in("plumbline apply --yes host.json | tee log")), "");
}

}  // namespace plumbline::house
