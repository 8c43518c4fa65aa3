// The steps of the firewall: those of a phase are one commit.

#include <algorithm>
#include <cerrno>

#include "batch.hpp"
#include "plumbline/firewall/commit/transaction.hpp"

namespace plumbline::engine {

bool Sender::uses_nft(const StepRun& move) const {
  const auto by_family = [&](const auto& key) {
    if constexpr (requires { is_of_table(key); }) {
      return firewall::uses_nft(key.family, surroundings_.uses_nft);
    } else {
      return false;
    }
  };
  return std::visit(by_family, move.step->key);
}

std::vector<RunResult> Sender::commit(std::span<const StepRun> moves) {
  std::vector<firewall::ChainStep> steps;
  steps.reserve(moves.size());
  for (const StepRun& move : moves) {
    steps.push_back({from_value(move), to_value(move), move.backwards});
  }
  std::vector<RunResult> results;
  results.reserve(moves.size());
  for (auto& [error, message, committed, busy] :
       firewall::commit(*host_, *ruleset_, surroundings_.uses_nft, steps)) {
    results.push_back({error, std::move(message), committed, busy});
  }
  return results;
}

std::vector<RunResult> Sender::send_firewall(std::span<const StepRun> moves) {
  std::vector<StepRun> texts;
  std::vector<StepRun> in_nft;
  for (const StepRun& move : moves) (uses_nft(move) ? in_nft : texts).push_back(move);
  if (texts.empty()) return commit(moves);
  const std::vector<RunResult> of_texts = send_texts(texts);
  const bool failed = std::ranges::any_of(of_texts, [](const auto& one) { return one.error != 0; });
  std::vector<RunResult> of_nft(in_nft.size(), {ECANCELED, "another table failed"});
  if (!failed && !in_nft.empty()) of_nft = commit(in_nft);
  std::vector<RunResult> results;
  auto text = of_texts.begin();
  auto committed = of_nft.begin();
  for (const StepRun& move : moves) results.push_back(uses_nft(move) ? *committed++ : *text++);
  return results;
}

std::vector<RunResult> Sender::send_texts(std::span<const StepRun> moves) {
  std::vector<wire::FirewallRestore> restores;
  for (const StepRun& move : moves) {
    for (wire::Request& request : requests_of(move)) {
      restores.push_back(std::get<wire::FirewallRestore>(std::move(request)));
    }
  }
  const std::vector<wire::FirewallRestore> commits = firewall::merged(restores);
  const std::vector<wire::Request> requests(commits.begin(), commits.end());

  // A table that fails ends it: the tables behind it are not touched.
  std::vector<RunResult> results(moves.size());
  bool failed = false;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    wire::Reply reply{ECANCELED, "another table failed", {}, {}};
    if (!failed) reply = host_->exchange(std::span(requests).subspan(i, 1)).front();
    failed = failed || reply.error != 0;
    if (reply.error == 0) continue;
    for (std::size_t j = 0; j < moves.size(); ++j) {
      const auto same_table = [&](const auto& key) {
        if constexpr (requires { is_of_table(key); }) {
          return key.family == commits[i].family &&
                 commits[i].text.starts_with("*" + std::string(key.table) + "\n");
        } else {
          return false;
        }
      };
      if (std::visit(same_table, moves[j].step->key)) results[j] = {reply.error, reply.message};
    }
  }
  return results;
}

}  // namespace plumbline::engine
