// A file includes what it names of the standard library, itself or by way of our headers, and not
// by way of what was read before it: `check` and the lint read eight sources at a time.

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "tests/house/tree.hpp"

namespace plumbline::house {
namespace {

struct Home {
  std::string_view header;
  std::string_view names;  ///< with a space before and behind each
};

/// What our sources use. A name may have more than one home.
constexpr std::array<Home, 31> homes{{
    {"algorithm", " any_of all_of none_of sort min max ranges "},
    {"array", " array "},
    {"charconv", " from_chars to_chars "},
    {"chrono", " chrono "},
    {"compare", " strong_ordering "},
    {"cstdint", " uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t "},
    {"cstring", " memcpy memcmp strlen "},
    {"deque", " deque "},
    {"exception", " exception "},
    {"filesystem", " filesystem "},
    {"fstream", " ifstream ofstream "},
    {"functional", " function "},
    {"iterator", " back_inserter "},
    {"limits", " numeric_limits "},
    {"map", " map multimap "},
    {"memory", " unique_ptr shared_ptr make_unique make_shared "},
    {"numeric", " accumulate iota "},
    {"optional", " optional nullopt "},
    {"ranges", " ranges "},
    {"set", " set multiset "},
    {"span", " span "},
    {"stdexcept", " exception runtime_error invalid_argument "},
    {"string", " string to_string "},
    {"string_view", " string_view "},
    {"system_error", " error_code generic_category system_error "},
    {"tuple", " tuple tie "},
    {"type_traits", " type_identity is_same_v "},
    {"unordered_map", " unordered_map "},
    {"utility", " move pair exchange "},
    {"variant", " variant visit get_if holds_alternative monostate "},
    {"vector", " vector "},
}};

class Includes {
 public:
  explicit Includes(const std::vector<File>& files) {
    for (const auto& file : files) files_.emplace(file.path, &file);
  }

  /// The headers of others that a file includes, itself or by way of ours.
  const std::set<std::string>& of(const std::string& path) {
    const auto [known, is_new] = known_.try_emplace(path);
    if (!is_new) return known->second;
    static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
    std::set<std::string> all;
    for (const auto& line : files_.at(path)->lines) {
      std::smatch match;
      if (!std::regex_search(line, match, pattern)) continue;
      const auto ours = file_of(path, match[1]);
      if (ours.empty()) {
        all.insert(match[1]);
      } else {
        all.insert(of(ours).begin(), of(ours).end());
      }
    }
    return known_[path] = std::move(all);
  }

 private:
  /// Of ours; empty when it is not.
  [[nodiscard]] std::string file_of(const std::string& from, const std::string& target) const {
    for (const auto& path :
         {"include/" + target, target, from.substr(0, from.rfind('/') + 1) + target}) {
      if (files_.contains(path)) return path;
    }
    return {};
  }

  std::map<std::string, const File*> files_;
  std::map<std::string, std::set<std::string>> known_;
};

std::set<std::string> std_names(const File& file) {
  static const std::regex pattern(R"(std::([a-z_0-9]+))");
  std::set<std::string> names;
  for (const auto& line : file.lines) {
    const std::string code = line.substr(0, line.find("//"));
    for (std::sregex_iterator it(code.begin(), code.end(), pattern), end; it != end; ++it) {
      names.insert((*it)[1]);
    }
  }
  return names;
}

std::vector<std::string> missing_includes(const std::vector<File>& files) {
  Includes includes(files);
  std::vector<std::string> missing;
  for (const auto& file : files) {
    const auto& have = includes.of(file.path);
    for (const auto& name : std_names(file)) {
      bool is_known = false;
      bool is_there = false;
      for (const auto& home : homes) {
        if (home.names.find(" " + name + " ") == std::string_view::npos) continue;
        is_known = true;
        is_there = is_there || have.contains(std::string(home.header));
      }
      if (is_known && !is_there) missing.push_back(file.path + ": std::" + name);
    }
  }
  return missing;
}

}  // namespace

TEST(Includes, EachFileIncludesWhatItNames) {
  const auto missing = missing_includes(program_sources());
  EXPECT_TRUE(missing.empty()) << joined(missing);
}

TEST(Includes, OneThatIsMissingIsSeen) {
  const File names{"src/a/a.cpp", {"#include \"plumbline/a/a.hpp\"", "std::vector<int> all;"}};
  const File lacks{"include/plumbline/a/a.hpp", {"#include <string>"}};
  const File has{"include/plumbline/a/a.hpp", {"#include <vector>"}};
  EXPECT_EQ(missing_includes({names, lacks}), std::vector<std::string>{"src/a/a.cpp: std::vector"});
  EXPECT_TRUE(missing_includes({names, has}).empty());
}

}  // namespace plumbline::house
