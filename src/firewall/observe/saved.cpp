#include "plumbline/firewall/observe/saved.hpp"

#include "plumbline/firewall/bytes/iptables_tables.hpp"

namespace plumbline::firewall {

Saved ask_for_saved(io::Host& host, Family family) {
  const wire::Request request = wire::FirewallDump{family};
  const wire::Reply reply = host.exchange(std::span(&request, 1)).front();
  const auto fail = [&](const std::string& why) {
    throw io::HostError("the " + std::string(program_word(family)) +
                        " rules cannot be seen: " + why);
  };
  if (reply.error != 0) fail(reply.message);
  Saved saved;
  try {
    saved = read_save(reply.text);
  } catch (const wire::Malformed& error) {
    fail(error.what());
  }
  if (reply.message.empty()) return saved;
  saved.warning = reply.message + (saved.warning.empty() ? "" : "; ") + saved.warning;
  return saved;
}

std::string observe_saved(io::Host& host, Family family, State& state) {
  Saved saved = ask_for_saved(host, family);
  for (SavedChain& chain : saved.chains) {
    sort_out(have_chain(family, std::move(chain)), state.of<Chain>(), state.of<SharedChain>());
  }
  return std::move(saved.warning);
}

}  // namespace plumbline::firewall
