"""What a service does with its settings: report, document, reload, extend them."""
