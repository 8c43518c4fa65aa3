// Rule text of a user and saved text of iptables: any bytes are split, checked and quoted without a
// crash, words come back as they were, and nothing becomes a line of its own in a restore.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plumbline/firewall/model/rule.hpp"

namespace {

using namespace plumbline;

void insist(bool holds) {
  if (!holds) std::abort();
}

void read_rule(std::string_view text) {
  const firewall::SplitText split = firewall::split_text(text);
  static_cast<void>(firewall::byte_refusal(text));
  static_cast<void>(firewall::chain_name_refusal(text));
  static_cast<void>(firewall::is_target(text));
  const auto words = firewall::split_words(text);
  if (!words) return;
  const firewall::Options options = firewall::options_of(*words);
  static_cast<void>(firewall::jumps_of(options));
  static_cast<void>(firewall::comments_of(options));
  insist(split.words.empty() || split.words == *words);
  const FirewallRule rule{std::string(text)};
  insist(words_of(rule) == words);
  const bool refused = !split.refusal.empty() || !firewall::refusal(*words, options).empty();
  const firewall::Words apart = firewall::separated(*words);
  if (refused) return;
  insist(firewall::split_words(firewall::join_words(*words)) == *words);
  const std::string quoted = firewall::quote_words(apart);
  insist(quoted.find('\n') == std::string::npos);
  insist(firewall::split_words(quoted) == apart);
}

void read_save(std::string_view text) {
  try {
    for (const firewall::SavedChain& chain : firewall::read_save(text).chains) {
      for (const std::string& rule : chain.rules) {
        insist(restore_rule(rule).find('\n') == std::string::npos);
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
