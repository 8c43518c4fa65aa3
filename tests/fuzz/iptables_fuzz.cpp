// Rule text of a user and saved text of iptables: any bytes are split, checked and quoted without a
// crash, words come back as they were, and nothing becomes a line of its own in a restore.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plumbline/wire/iptables.hpp"

namespace {

using namespace plumbline;

void insist(bool holds) {
  if (!holds) std::abort();
}

void read_rule(std::string_view text) {
  const std::string unfit = wire::text_refusal(text);
  static_cast<void>(wire::byte_refusal(text));
  static_cast<void>(wire::chain_name_refusal(text));
  static_cast<void>(wire::is_target(text));
  const auto words = wire::split_words(text);
  if (!words) return;
  static_cast<void>(wire::options_of(*words));
  static_cast<void>(wire::jumps_of(*words));
  static_cast<void>(wire::comments_of(*words));
  const bool refused = !unfit.empty() || !wire::refusal(*words).empty();
  const wire::Words apart = wire::separated(*words);
  if (refused) return;
  insist(wire::split_words(wire::join_words(*words)) == *words);
  const std::string quoted = wire::quote_words(apart);
  insist(quoted.find('\n') == std::string::npos);
  insist(wire::split_words(quoted) == apart);
}

void read_save(std::string_view text) {
  try {
    for (const wire::SavedTable& table : wire::read_save(text)) {
      for (const wire::SavedChain& chain : table.chains) {
        for (const std::string& rule : chain.rules) {
          insist(wire::restore_rule(rule).find('\n') == std::string::npos);
        }
      }
    }
  } catch (const wire::Malformed&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  read_rule(text);
  read_save(text);
  return 0;
}
