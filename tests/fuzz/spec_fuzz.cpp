// Any files make a spec or errors, never a crash; and a spec that loads, written down again from
// what was understood, loads as the same.
//
// The input is up to four files, with lines of `---` between them.

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "../support/memory_files.hpp"
#include "plumbline/spec/compose.hpp"
#include "plumbline/spec/expand.hpp"

namespace {

using namespace plumbline;

void require(bool truth, const std::string& why) {
  if (truth) return;
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

spec::Spec load(testing::MemoryFiles& files, Diagnostics& diagnostics) {
  std::vector<std::string> sources;
  for (const auto& [path, text] : files.texts) sources.push_back(path);
  return spec::load(sources, files, diagnostics);
}

testing::MemoryFiles split(std::string_view input) {
  constexpr std::string_view separator = "\n---\n";
  constexpr std::size_t most = 4;
  testing::MemoryFiles files;
  while (files.texts.size() < most) {
    const auto end = input.find(separator);
    const std::string name = std::to_string(files.texts.size()) + ".json";
    files.texts[name] = input.substr(0, end);
    if (end == std::string_view::npos) break;
    input.remove_prefix(end + separator.size());
  }
  return files;
}

void check_origins(const spec::Desired& desired) {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    const auto& values = desired.state.of<K>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      require(desired.origins.contains(key(values[i])), "no origin: " + format(key(values[i])));
      require(i == 0 || key(values[i - 1]) < key(values[i]), "not sorted, or twice the same");
    }
  });
  for (const Chain& chain : desired.state.of<Chain>()) {
    const auto rules = desired.rule_origins.find(key(chain));
    // The last rule is our mark, which nobody wrote.
    require(rules != desired.rule_origins.end() && rules->second.size() + 1 == chain.rules.size(),
            "not every rule has its origin");
  }
}

void check_the_way_back(const spec::Spec& spec) {
  testing::MemoryFiles files;
  files.texts["again.json"] = boost::json::serialize(spec::compose(spec.state));
  Diagnostics diagnostics;
  const auto again = load(files, diagnostics);
  const auto& text = files.texts["again.json"];
  for (const auto& error : diagnostics.errors) require(false, text + "\n" + format(error));
  require(again.state == spec.state, "another state: " + text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  auto files = split({reinterpret_cast<const char*>(bytes), size});
  Diagnostics diagnostics;
  auto spec = load(files, diagnostics);
  for (const auto& error : diagnostics.errors) {
    require(error.origin.known() && is_utf8(format(error)), format(error));
  }
  if (!diagnostics.ok()) return 0;
  check_the_way_back(spec);
  check_origins(spec::expand(std::move(spec), Mark{}));
  return 0;
}
