"""Pages of extracts (EUC, データ抽出): a wizard that puts a query together step by step, what was saved, what runs."""
